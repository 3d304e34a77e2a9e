import { METRICS, WHOLE_COLUMNS } from "@usage-stats/core";
import sql, { raw, type Sql } from "sql-template-tag";
import { measureSql, STORED } from "../layout/stored-measures.ts";

/**
 * A rollup row that is not what it should be; `null` is a row that is not there. Both tell measures, or, of a row that is not where it
 * should be, what it is marked with.
 */
export type RollupDifference = {
  table: "fine rows" | "rows by type" | "rows by model" | "rows by everything" | "users of days";
  grain: "quarter" | "hour" | "day" | "week";
  /** "" is all users together. */
  userDid: string;
  /** In UTC, such as 2026-11-25 10:15:00+00. */
  start: string;
  dimensions: Record<string, string>;
  expected: Record<string, number> | null;
  found: Record<string, number> | null;
};

/** How many rows a check compared, and beside it a difference, or one whose `table` is null. */
export type CheckRow = RollupDifference & { compared: string };

/** Gives the differences of a check's rows. */
export function differencesOf(rows: CheckRow[]): RollupDifference[] {
  return rows
    .filter(({ table }) => table !== null)
    .map(({ table, grain, userDid, start, dimensions, expected, found }) => ({
      table,
      grain,
      userDid,
      start,
      dimensions,
      expected,
      found,
    }));
}

/** Stands for `model_call_user_days` where rows have a `time_type`. */
export const USERS_OF_DAYS = 11;

/** What a row sums and over how long, as `"table"` and `grain`, of a column of `time_type`. */
export function levelName(timeType: string): Sql {
  return raw(`
    case when ${timeType} <= 2 then 'fine rows' when ${timeType} <= 6 then 'rows by type' when ${timeType} <= 8 then 'rows by model' when ${timeType} = ${USERS_OF_DAYS} then 'users of days' else 'rows by everything' end as "table",
    case when ${timeType} <= 2 then 'quarter' when ${timeType} = 4 then 'hour' when ${timeType} in (5, 7, 9, ${USERS_OF_DAYS}) then 'day' else 'week' end as grain`);
}

/** Where a row begins, as a difference has it. */
export const START = raw(
  `to_char(quarter_start(timestamp) at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS"+00"') as start`,
);

const SIDES = { expected: "is_expected", found: "not is_expected" } as const;

/** Sums each stored measure of rows that have `is_expected`, on both sides, of any size; and counts the rows of each side. */
export const SUMS_OF_SIDES = raw(
  Object.entries(SIDES)
    .flatMap(([side, condition]) => [
      `count(*) filter (where ${condition}) as ${side}_rows`,
      ...STORED.map(
        ({ column }) =>
          `coalesce(sum(${column}) filter (where ${condition}), 0)::numeric as ${side}_${column}`,
      ),
    ])
    .join(", "),
);

const sumsOf = (side: string) => STORED.map(({ column }) => `${side}_${column}`).join(", ");

/** Whether both sides differ. */
export const DIFFERS = raw(
  `(expected_rows > 0) <> (found_rows > 0) or (${sumsOf("expected")}) is distinct from (${sumsOf("found")})`,
);

const MEASURES = [...Object.values(WHOLE_COLUMNS), METRICS.credits.column]
  .map((column) => `'${column}', ${measureSql(column)}`)
  .join(", ");

/** Both sides as measures by their columns. */
export const MEASURES_OF_SIDES = raw(
  Object.keys(SIDES)
    .map((side) => {
      const columns = STORED.map(({ column }) => `${side}_${column} as ${column}`).join(", ");
      return `case when ${side}_rows > 0 then (select jsonb_build_object(${MEASURES}) from (select ${columns}) as sums) end as ${side}`;
    })
    .join(", "),
);

/** Answers how many rows were `compared`, and the differences among them, in order. */
export function answered(compared: Sql, differences: Sql): Sql {
  return sql`
    select counted.*, difference.* from (${compared}) as counted left join (${differences}) as difference on true
     order by start, "userDid", "table", grain, dimensions::text`;
}
