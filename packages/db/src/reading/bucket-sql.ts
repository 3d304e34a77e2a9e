import sql, { raw, type Sql } from "sql-template-tag";
import { instant, instants } from "./instant-sql.ts";

/**
 * Gives the index of the series bucket that holds a time column, or null outside all of them. `edges` are the n + 1 edges of n
 * contiguous buckets; PostgreSQL finds the place by binary search.
 */
export function bucketOf(column: string, edges: readonly Date[]): Sql {
  const [first, last] = [edges[0], edges.at(-1)];
  if (first === undefined || last === undefined) return raw("null::int");
  const time = raw(column);
  return sql`case when ${time} >= ${instant(first)}::timestamptz and ${time} < ${instant(last)}::timestamptz
                  then width_bucket(${time}, ${instants(edges)}::timestamptz[]) - 1 end`;
}
