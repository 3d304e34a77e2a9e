import { type Bucket } from "./bucket.ts";
import { edgeSpanAt } from "./edge-spans.ts";
import { type TimeRange } from "./range.ts";

/** The part of one bucket that lies in the range. `whole` is false where the range cuts it short. */
export type SeriesBucket = { start: Date; end: Date; label: string; whole: boolean };

/**
 * Cuts a range of the years 2000 to 2100 at the local boundaries of a zone: contiguous, none empty, first to last. Days of 23 and
 * 25 hours, days without a midnight and days that a zone skipped come out as they were lived.
 */
export function seriesBuckets(range: TimeRange, timezone: string, bucket: Bucket): SeriesBucket[] {
  if (bucket === "none") return [];
  const from = range.from.getTime();
  const to = range.to.getTime();
  const buckets: SeriesBucket[] = [];
  let at = from;
  while (at < to) {
    const { edges, labels } = edgeSpanAt(at, timezone, bucket);
    for (let i = lastUpTo(edges, at); i < labels.length && at < to; i += 1) {
      const end = edges[i + 1]!;
      buckets.push({
        start: new Date(at),
        end: new Date(Math.min(end, to)),
        label: labels[i]!,
        whole: edges[i]! >= from && end <= to,
      });
      at = end;
    }
  }
  return buckets;
}

/** The index of the last edge that is not after an instant, by binary search. */
function lastUpTo(edges: Float64Array, time: number): number {
  let low = 0;
  let high = edges.length;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if (edges[middle]! <= time) low = middle;
    else high = middle;
  }
  return low;
}
