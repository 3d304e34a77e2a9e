import { timeArray } from "../array-literal.ts";
import { type Sql, sql, trusted } from "../sql-fragment.ts";

/**
 * The index of the series bucket that holds a time column, or null outside all of them. `edges` are the n + 1 edges of n
 * contiguous buckets; PostgreSQL finds the place by binary search.
 */
export function bucketOf(column: string, edges: readonly Date[]): Sql {
  const [first, last] = [edges[0], edges.at(-1)];
  if (first === undefined || last === undefined) return trusted("null::int");
  const time = trusted(column);
  return sql`case when ${time} >= ${instant(first)}::timestamptz and ${time} < ${instant(last)}::timestamptz
                  then width_bucket(${time}, ${timeArray(edges)}::timestamptz[]) - 1 end`;
}

/** An instant as a parameter: with its zone, to the millisecond. */
export function instant(time: Date): string {
  return time.toISOString();
}
