import { bucketLabel, bucketStart, nextBucketStart, type Width, zonedAt } from "../src/calendar-steps.ts";
import { type SeriesBucket, type TimeRange } from "../src/index.ts";

/** Cuts a range from its own first bucket on, step by step, and remembers nothing. */
export function unrememberedBuckets({ from, to }: TimeRange, timezone: string, width: Width): SeriesBucket[] {
  const buckets: SeriesBucket[] = [];
  let start = bucketStart(zonedAt(from.getTime(), timezone), width);
  while (start.epochMilliseconds < to.getTime()) {
    const end = nextBucketStart(start, width);
    buckets.push({
      start: new Date(Math.max(start.epochMilliseconds, from.getTime())),
      end: new Date(Math.min(end.epochMilliseconds, to.getTime())),
      label: bucketLabel(start, width),
      whole: start.epochMilliseconds >= from.getTime() && end.epochMilliseconds <= to.getTime(),
    });
    start = end;
  }
  return buckets;
}
