import sql, { empty, raw, type Sql } from "sql-template-tag";
import { STORED_LIST } from "../layout/stored-measures.ts";
import { EVERYONE } from "../layout/time-types.ts";
import { USER } from "./asked-usage.ts";
import { type UsageShape } from "./usage-shape.ts";

/** The CTE of whose rollups answer; nobody's where nothing of theirs was ever rolled up. */
export const ME = sql`me as materialized (select id, slice_of(did) as slice from model_call_users where did = ${USER})`;

// Constants for a statement, so that the key is used whole.
const MINE = raw("user_id = (select id from me) and slice = (select slice from me)");
const ALL_TOGETHER = raw(`user_id = ${EVERYONE} and slice = 0`);

/** Holds for rows of single users, whoever they are; these are found by `TIME_TYPE` and time. */
export const OF_USERS = raw(`user_id <> ${EVERYONE}`);

/** The time type as the index has it in which the rows of all users are in the order of time. */
export const TIME_TYPE = raw("time_type::int");

/** Holds for the rollup rows that answer: a user's, found by `ME`, or those of all users together. */
export function isAsked({ isEveryone }: Pick<UsageShape, "isEveryone">): Sql {
  return isEveryone ? ALL_TOGETHER : MINE;
}

/** How a look-up finds rows. */
export type LookUpOptions = {
  /** Nothing is read unless this holds, which is looked at once. */
  onlyIf?: Sql | undefined;
  /** How the time type is written: `TIME_TYPE` where rows are not those of one user. */
  timeType?: Sql;
};

/**
 * Selects rollup rows of `lookUps` on a condition, with the stored measures. OFFSET 0 keeps the planner from turning the join around: each
 * range is looked up by index.
 */
export function lookedUp(columns: string, lookUps: Sql, condition: Sql, options: LookUpOptions = {}): Sql {
  const { onlyIf, timeType = raw("time_type") } = options;
  return sql`
      select look_up.*, found.* from ${lookUps} cross join lateral (
        select ${raw(columns)}, ${raw(STORED_LIST)} from model_call_stats
         where ${condition} and ${timeType} = look_up.time_type and timestamp >= look_up.lo and timestamp < look_up.hi offset 0) as found${where(onlyIf)}`;
}

/** Writes `where`, if there is a condition. */
export function where(condition: Sql | undefined): Sql {
  return condition === undefined ? empty : sql` where ${condition}`;
}
