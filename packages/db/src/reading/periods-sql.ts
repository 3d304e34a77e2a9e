import sql, { raw, type Sql } from "sql-template-tag";
import { FROM, PREVIOUS_TO, SPAN_QUARTER, TO } from "./asked-usage.ts";

/** Leaves out what lies between both periods, where something does. */
export function andNotBetweenPeriods(column: string): Sql {
  const at = raw(column);
  return sql` and not (${at} >= ${PREVIOUS_TO} and ${at} < ${FROM})`;
}

/** Writes the condition that a quarter of an hour holds a part of one of both periods. */
export function isQuarterOfPeriods(column: string): Sql {
  const at = raw(column);
  return sql`${at} >= ${SPAN_QUARTER} and ${at} < ${TO}${andNotBetweenPeriods(column)}`;
}
