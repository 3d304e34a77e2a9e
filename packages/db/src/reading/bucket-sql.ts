import sql, { raw, type Sql } from "sql-template-tag";
import { EDGES, FIRST_EDGE, FROM, LAST_EDGE, type UsageShape } from "./asked-usage.ts";

/** Stands where a bucket's index does for what is of the period before. */
export const PREVIOUS = -1;

/**
 * Gives the index of the series bucket that holds a time column, `PREVIOUS` before the range, or null outside all of them. PostgreSQL
 * finds the place among the edges by binary search.
 */
export function bucketOf(column: string, { series }: UsageShape): Sql {
  const at = raw(column);
  const inSeries =
    series !== "none"
      ? sql`when ${at} >= ${FIRST_EDGE} and ${at} < ${LAST_EDGE} then width_bucket(${at}, ${EDGES}) - 1`
      : raw("");
  return sql`case when ${at} < ${FROM} then ${raw(String(PREVIOUS))} ${inSeries} end`;
}
