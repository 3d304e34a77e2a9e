import { UsageStatsError } from "./errors.ts";
import { type TimeRange } from "./range.ts";

export const BUCKETS = ["15m", "hour", "day", "week", "month", "none"] as const;
/** The width of a series' buckets; `none` asks for totals only. */
export type Bucket = (typeof BUCKETS)[number];

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const FIVE_YEARS = 1827 * DAY;

/** The longest range a bucket width answers, in milliseconds. An hour more is allowed, so that a range of local days across a clock change fits. */
const CAPS: Record<Bucket, { ms: number; text: string }> = {
  "15m": { ms: 7 * DAY, text: "7 days" },
  hour: { ms: 92 * DAY, text: "92 days" },
  day: { ms: FIVE_YEARS, text: "5 years" },
  week: { ms: FIVE_YEARS, text: "5 years" },
  month: { ms: FIVE_YEARS, text: "5 years" },
  none: { ms: FIVE_YEARS, text: "5 years" },
};

/** Picks a width for `auto`, a handful to about a hundred buckets, and refuses a range over the width's cap with `range_too_long`. */
export function chooseBucket(asked: Bucket | "auto", range: TimeRange): Bucket {
  const length = range.to.getTime() - range.from.getTime();
  const bucket = bucketFor(asked, range);
  const cap = CAPS[bucket];
  if (length <= cap.ms + HOUR) return bucket;
  throw new UsageStatsError("range_too_long", `The longest range for bucket "${bucket}" is ${cap.text}.`, {
    field: "to",
    value: range.to,
    limit: cap.text,
  });
}

/** The width that is asked for, or the one that `auto` picks, whether the range is too long for it or not. */
export function bucketFor(asked: Bucket | "auto", { from, to }: TimeRange): Bucket {
  return asked === "auto" ? automatic(to.getTime() - from.getTime()) : asked;
}

function automatic(length: number): Bucket {
  if (length <= 6 * HOUR) return "15m";
  if (length <= 4 * DAY) return "hour";
  if (length <= 100 * DAY) return "day";
  if (length <= 2 * 366 * DAY) return "week";
  return "month";
}
