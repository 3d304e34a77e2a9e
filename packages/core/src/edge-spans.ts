import { bucketLabel, bucketStart, nextBucketStart, type Width, zonedAt } from "./calendar-steps.ts";

/** Contiguous buckets of a zone: `edges`, in milliseconds since 1970, has one more than `labels`. */
export type EdgeSpan = { edges: Float64Array; labels: string[] };

const DAY = 86_400_000;

/** How much time one span covers. Of every width that is about 96 buckets: cutting one that is not there yet stays cheap. */
const SPAN_MS: Record<Width, number> = {
  "15m": DAY,
  hour: 4 * DAY,
  day: 96 * DAY,
  week: 96 * 7 * DAY,
  month: 96 * 28 * DAY,
};

/** The most spans that are remembered, some 15 MB: zones and years are the asker's choice, and there are many. */
export const MAX_SPANS = 1_024;

const spans = new Map<string, EdgeSpan>();

/**
 * Gives the buckets around an instant, which are remembered: where a zone's days begin changes only with the process, because its
 * rules come with Node. The span that was asked for longest ago is forgotten first.
 */
export function edgeSpanAt(time: number, timezone: string, width: Width): EdgeSpan {
  const index = Math.floor(time / SPAN_MS[width]);
  const key = `${index} ${width} ${timezone}`;
  const known = spans.get(key);
  const span = known ?? cutSpan(index, timezone, width);
  if (known !== undefined) spans.delete(key);
  else if (spans.size >= MAX_SPANS) spans.delete(spans.keys().next().value!);
  spans.set(key, span);
  return span;
}

/** How many spans are remembered. */
export function rememberedSpans(): number {
  return spans.size;
}

/** From the bucket that is under way at the beginning of the span's time, to the one that is at its end. */
function cutSpan(index: number, timezone: string, width: Width): EdgeSpan {
  const end = (index + 1) * SPAN_MS[width];
  const edges: number[] = [];
  const labels: string[] = [];
  let start = bucketStart(zonedAt(index * SPAN_MS[width], timezone), width);
  while (start.epochMilliseconds < end) {
    edges.push(start.epochMilliseconds);
    labels.push(bucketLabel(start, width));
    start = nextBucketStart(start, width);
  }
  return { edges: Float64Array.from([...edges, start.epochMilliseconds]), labels };
}
