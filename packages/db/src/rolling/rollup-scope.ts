import { type RollupScope, type TimeRange } from "@usage-stats/core";
import { instant } from "../reading/instant-sql.ts";
import sql, { raw, type Sql } from "sql-template-tag";
import { type SqlSession } from "../connection/session.ts";
import { EVERYONE, QUARTERS_A_WEEK } from "../layout/time-types.ts";
import { type Quarters, type Weeks } from "./derive-rollups.ts";

/** Writes a condition on a user column and a time column. */
export function inScope({ userDid, range }: RollupScope, user: string, time: string): Sql {
  const whose = userDid === undefined ? raw("true") : sql`${raw(user)} = ${userDid}`;
  if (range === undefined) return whose;
  const at = raw(time);
  return sql`${whose} and ${at} >= ${instant(range.from)}::timestamptz and ${at} < ${instant(range.to)}::timestamptz`;
}

/** Rows of `model_call_stats`: of whole weeks, of one user (an id) or everybody; and which starts are in the scope. */
export type RowScope = { userId?: number; weeks?: Quarters | undefined; starts?: Quarters };

/**
 * Writes a condition on the rows of a scope's whole weeks that are of some types. It names them, so that an index is used whole: for one user
 * that of users, for everybody that of times.
 */
export function rowsIn({ userId, weeks }: RowScope, types = ALL): Sql {
  const whose =
    userId === undefined
      ? raw(`time_type::int in ${types}`)
      : sql`user_id = ${userId}::int and time_type in ${raw(types)} and slice = any(array(select slice from model_call_slices))`;
  return weeks === undefined ? whose : sql`${whose} and ${startsIn(weeks)}`;
}

const ALL = "(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)";

/** Writes a condition on where rows begin. */
export function startsIn(starts: Quarters | undefined): Sql {
  if (starts === undefined) return raw("true");
  return sql`timestamp >= ${starts.from}::int and timestamp < ${starts.to}::int`;
}

/** Says which buckets begin in a range, as quarters of an hour since 1970. */
function startsOf(range: TimeRange | undefined): Quarters | undefined {
  if (range === undefined) return undefined;
  const quarterFrom = (time: Date) => Math.ceil(time.getTime() / QUARTER_MS);
  return { from: quarterFrom(range.from), to: quarterFrom(range.to) };
}

/** The instants that quarters begin at, half-open. */
export function rangeOf({ from, to }: Quarters): TimeRange {
  return { from: new Date(from * QUARTER_MS), to: new Date(to * QUARTER_MS) };
}

/** Gives a scope as one of rows. */
export async function rowScopeOf(session: SqlSession, { userDid, range }: RollupScope): Promise<RowScope> {
  const starts = startsOf(range);
  const scope: RowScope = starts === undefined ? {} : { starts };
  if (userDid === undefined) return scope;
  const [user] = await session.execute<{ id: number }>(
    sql`select id from model_call_users where did = ${userDid} and id <> ${EVERYONE}::int`,
  );
  return { ...scope, userId: user?.id ?? NOBODY };
}

// Of whom nothing was ever rolled up.
const NOBODY = -1;

/** Lists the weeks in which rows or calls of a scope are, the earliest first. */
export async function weeksIn(session: SqlSession, scope: RollupScope, rows: RowScope): Promise<Weeks[]> {
  const inRange =
    rows.starts === undefined
      ? raw("true")
      : sql`timestamp >= week_start(${rows.starts.from}::int) and timestamp < ${rows.starts.to}::int`;
  const found = await session.execute<{ week: number }>(sql`
    select week from (
      select distinct week_start(timestamp) from model_call_stats where ${rowsIn(rows)} and ${inRange}
      union select distinct week_start(quarter_number(call_time)) from model_calls where ${inScope(scope, "user_did", "call_time")}
    ) as weeks(week) order by week`);
  return found.map(({ week }) => ({ from: week, to: week + QUARTERS_A_WEEK }));
}

/** Lists the months, whole or cut by a scope, that are in some weeks, the earliest first. */
export function monthsIn(weeks: Weeks[], { starts }: RowScope): Quarters[] {
  const months = new Map<number, Quarters>();
  for (const end of weeks.flatMap(({ from, to }) => [from, to - 1])) {
    const date = new Date(end * QUARTER_MS);
    const [from, to] = [0, 1].map(
      (later) => Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + later) / QUARTER_MS,
    ) as [number, number];
    const month = { from: Math.max(from, starts?.from ?? from), to: Math.min(to, starts?.to ?? to) };
    if (month.from < month.to) months.set(from, month);
  }
  return [...months.values()];
}

const QUARTER_MS = 900_000;
