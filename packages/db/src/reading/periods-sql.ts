import { type TimeRange, type AggregateQuery } from "@usage-stats/core";
import sql, { empty, raw, type Sql } from "sql-template-tag";
import { instant } from "./instant-sql.ts";

/** Spans both periods: from the start of the earlier period to the end of the range. */
export function spanOf({ range, previous }: AggregateQuery): TimeRange {
  return { from: previous?.from ?? range.from, to: range.to };
}

/** Leaves out what lies between both periods, where something does. */
export function andNotBetweenPeriods(column: string, { range, previous }: AggregateQuery): Sql {
  if (previous === null || previous.to >= range.from) return empty;
  return sql` and not (${raw(column)} >= ${instant(previous.to)} and ${raw(column)} < ${instant(range.from)})`;
}
