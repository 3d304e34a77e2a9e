import { type Bucket } from "./bucket.ts";
import { type SeriesBucket } from "./bucket-edges.ts";
import { decodeCursor, encodeCursor, invalidCursor } from "./cursor-text.ts";
import { type TimeRange } from "./range.ts";

/** What a cursor belongs to: it is refused for any other query. */
export type CursorScope = { userDid: string | null; range: TimeRange; timezone: string; bucket: Bucket };

/** One page of a series: the newest buckets first, page by page; inside a page they run forward in time. */
export type SeriesPage = { buckets: SeriesBucket[]; nextCursor: string | null };

/** Takes the `limit` newest buckets before the cursor. Throws `invalid_cursor` for one that this query did not give out. */
export function pageOf(
  buckets: SeriesBucket[],
  scope: CursorScope,
  limit?: number,
  cursor?: string,
): SeriesPage {
  const end = cursor === undefined ? buckets.length : decode(buckets, scope, cursor);
  const start = limit === undefined ? 0 : Math.max(0, end - limit);
  const oldest = buckets[start];
  return {
    buckets: buckets.slice(start, end),
    nextCursor: start > 0 && oldest !== undefined ? encode(scope, oldest.start) : null,
  };
}

function encode(scope: CursorScope, before: Date): string {
  const { userDid, range, timezone, bucket } = scope;
  const fields = ["series", userDid, range.from.getTime(), range.to.getTime(), timezone, bucket];
  return encodeCursor(fields, [before.getTime()]);
}

function decode(buckets: SeriesBucket[], scope: CursorScope, cursor: string): number {
  const [before] = decodeCursor(cursor) ?? [];
  const index = buckets.findIndex(({ start }) => start.getTime() === before);
  // A cursor is right if it is the very text we would give out for one of this query's edges.
  if (index > 0 && encode(scope, buckets[index]!.start) === cursor) return index;
  throw invalidCursor();
}
