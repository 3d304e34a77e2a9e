import sql, { raw, type Sql } from "sql-template-tag";
import {
  EDGE_QUARTERS,
  EDGES,
  FIRST_EDGE,
  FIRST_EDGE_QUARTER,
  FROM,
  FROM_QUARTER,
  LAST_EDGE,
  LAST_EDGE_QUARTER,
} from "./asked-usage.ts";
import { type UsageShape } from "./usage-shape.ts";

/** Stands where a bucket's index does for what is of the period before. */
export const PREVIOUS = -1;

/**
 * Gives the index of the series bucket that holds `at`, when calls were, `PREVIOUS` before the range, or null outside all of them.
 * PostgreSQL finds the place among the edges by binary search.
 */
export function bucketOfCalls(shape: UsageShape): Sql {
  return bucket("at", shape, { from: FROM, edges: EDGES, first: FIRST_EDGE, last: LAST_EDGE });
}

/** Gives the same of `timestamp`, when rollup rows are, none of which reaches across an edge. */
export function bucketOfRows(shape: UsageShape): Sql {
  return bucket("timestamp", shape, {
    from: FROM_QUARTER,
    edges: EDGE_QUARTERS,
    first: FIRST_EDGE_QUARTER,
    last: LAST_EDGE_QUARTER,
  });
}

type Times = { from: Sql; edges: Sql; first: Sql; last: Sql };

function bucket(column: string, { hasSeries }: UsageShape, { from, edges, first, last }: Times): Sql {
  const at = raw(column);
  const inSeries = hasSeries
    ? sql`when ${at} >= ${first} and ${at} < ${last} then width_bucket(${at}, ${edges}) - 1`
    : raw("");
  return sql`case when ${at} < ${from} then ${raw(String(PREVIOUS))} ${inSeries} end`;
}
