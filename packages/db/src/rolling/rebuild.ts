import { type RebuildPlan, type Rebuilder, type RollupScope } from "@usage-stats/core";
import { sessionOf } from "../connection/session.ts";
import { type Database } from "../database.ts";
import { ALL_USERS, LEVELS } from "../reading/rollup-levels.ts";
import sql, { join, raw, type Sql } from "sql-template-tag";
import { isFrozen, noticeMissingMonths } from "./frozen-quarters.ts";
import { inScope } from "./rollup-scope.ts";

/** Plans rebuilds and begins them; the database must not give up early on them. */
export function createRebuilder(orm: Database): Rebuilder {
  return { plan: (scope) => planRebuild(orm, scope), start: (scope) => logForRebuild(orm, scope) };
}

/** Says what `logForRebuild` would log, and logs nothing. */
export async function planRebuild(orm: Database, scope: RollupScope): Promise<RebuildPlan> {
  const rows = join(
    LEVELS.map(
      ({ table }) =>
        sql`(select count(*) from ${raw(table)} where ${inScope(scope, "user_did", "timestamp")})`,
    ),
    " + ",
  );
  const statement = sql`
    select count(distinct user_did) filter (where user_did <> ${ALL_USERS}) as users,
           count(*) filter (where user_did <> ${ALL_USERS}) as quarters, (${rows}) as rows
      from (${quartersIn(scope)}) as quarters`;
  const session = sessionOf(orm.em.fork());
  await noticeMissingMonths(session);
  const [plan] = await session.execute<{ users: string; quarters: string; rows: string }>(statement);
  return { users: Number(plan!.users), quarters: Number(plan!.quarters), rollupRows: Number(plan!.rows) };
}

/**
 * Logs every quarter of a scope as changed, and announces whose they are, so that rolling up recomputes it from its calls at once. Answers
 * stay right from the first moment: what is logged is read from calls. Whatever is frozen stays as it is.
 */
export async function logForRebuild(orm: Database, scope: RollupScope): Promise<void> {
  const session = sessionOf(orm.em.fork());
  await noticeMissingMonths(session);
  await session.execute(sql`
    with logged as (insert into model_call_changes ${quartersIn(scope)} returning user_did, quarter)
    select announce_changes(array(
      select distinct user_did from logged where user_did <> ${ALL_USERS} and quarter < quarter_of(clock_timestamp()) limit 101))`);
}

/** Quarters that have calls or a rollup, but those that are frozen; a coarser row that has no quarter, and so should not be there, is found by its start. */
function quartersIn(scope: RollupScope): Sql {
  const calls = sql`select user_did, quarter_of(call_time) from model_calls where ${inScope(scope, "user_did", "call_time")}`;
  const rollups = LEVELS.map(
    ({ table }) => sql`
      select user_did, timestamp from ${raw(table)} as rollup
       where ${inScope(scope, "user_did", "timestamp")}
         and (time_type = 'quarter' or not exists (
           select from ${raw(table)} as finer
            where finer.user_did = rollup.user_did and finer.time_type = 'quarter' and finer.timestamp >= rollup.timestamp
              and finer.timestamp < rollup.timestamp + ('1 ' || rollup.time_type)::interval))`,
  );
  return sql`select * from (${join([calls, ...rollups], " union ")}) as quarters(user_did, quarter) where not ${isFrozen("quarters.user_did", "quarters.quarter")}`;
}
