import { type RebuildPlan, type Rebuilder, type RollupScope } from "@usage-stats/core";
import { sessionOf } from "../connection/session.ts";
import { type Database } from "../database.ts";
import { EVERYONE, FINE } from "../layout/time-types.ts";
import sql, { type Sql } from "sql-template-tag";
import { isFrozen, noticeMissingMonths } from "./frozen-quarters.ts";
import { repairRollups } from "./repair-rollups.ts";
import { inScope, type RowScope, rowScopeOf, rowsIn, startsIn, weeksIn } from "./rollup-scope.ts";

/** Plans rebuilds and begins them; the database must not give up early on them. */
export function createRebuilder(orm: Database): Rebuilder {
  return { plan: (scope) => planRebuild(orm, scope), start: (scope) => logForRebuild(orm, scope) };
}

/** Says what `logForRebuild` would log, and logs nothing. */
export async function planRebuild(orm: Database, scope: RollupScope): Promise<RebuildPlan> {
  const session = sessionOf(orm.em.fork());
  await noticeMissingMonths(session);
  const rows = await rowScopeOf(session, scope);
  const [plan] = await session.execute<{ users: string; quarters: string; rows: string }>(sql`
    select count(distinct user_did) as users, count(*) as quarters,
           (select count(*) from model_call_stats where ${rowsIn(rows)} and ${startsIn(rows.starts)}) as rows
      from (${quartersIn(scope, rows)}) as quarters`);
  return { users: Number(plan!.users), quarters: Number(plan!.quarters), rollupRows: Number(plan!.rows) };
}

/**
 * Replaces what does not follow from fine rows in the weeks of a scope, a week at a time; then logs every quarter of the scope as
 * changed, and announces whose they are, so that rolling up recomputes the fine rows from calls at once, and carries what they differ by upward.
 * Answers stay right from the first moment: what is logged is read from calls. Whatever is frozen stays as it is.
 */
export async function logForRebuild(orm: Database, scope: RollupScope): Promise<void> {
  const session = sessionOf(orm.em.fork());
  await noticeMissingMonths(session);
  const rows = await rowScopeOf(session, scope);
  const whose = rows.userId === undefined ? {} : { userId: rows.userId };
  for (const weeks of await weeksIn(session, scope, rows)) {
    await repairRollups(orm, { ...whose, weeks }, true);
  }
  await session.execute(sql`
    with logged as (insert into model_call_changes ${quartersIn(scope, rows)} returning user_did, quarter)
    select announce_changes(array(
      select distinct user_did from logged where quarter < quarter_of(clock_timestamp()) limit 101))`);
}

/** Quarters that have calls or a fine row, but those that are frozen. */
function quartersIn(scope: RollupScope, rows: RowScope): Sql {
  return sql`
    select * from (
      select user_did, quarter_of(call_time) from model_calls where ${inScope(scope, "user_did", "call_time")}
      union
      select did, quarter_start(timestamp)
        from (select distinct user_id, timestamp from model_call_stats
               where user_id <> ${EVERYONE}::int and ${rowsIn(rows, FINE)} and ${startsIn(rows.starts)}) as fine
        join model_call_users as users on users.id = user_id
    ) as quarters(user_did, quarter) where not ${isFrozen("quarters.user_did", "quarters.quarter")}`;
}
