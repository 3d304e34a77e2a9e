import { type Bucket, bucketFor } from "./bucket.ts";
import { UsageStatsError } from "./errors.ts";
import { type UsageStatsQuery } from "./usage-stats.ts";

/** The most cells that the series of one answer may have: about 5 MB as JSON. */
export const MAX_SERIES_CELLS = 20_000;

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const WIDTHS: Record<Exclude<Bucket, "none">, number> = {
  "15m": HOUR / 4,
  hour: HOUR,
  day: DAY,
  week: 7 * DAY,
  month: 28 * DAY,
};

/** What a bucket holds: its own sums or, where calls are grouped, a line for each of the first groups and one for the others. */
function cellsOfBucket({ groupBy, topN }: Pick<UsageStatsQuery, "groupBy" | "topN">): number {
  return groupBy.length === 0 ? 1 : topN + 1;
}

/**
 * How many cells a query's series has at the most, by arithmetic alone, to be added up before anything is read. A query
 * that is refused by itself counts as much as the largest that is not.
 */
export function seriesCells(input: UsageStatsQuery): number {
  const bucket = bucketFor(input.bucket, input);
  const length = input.to.getTime() - input.from.getTime();
  // One more, for a range that begins inside a bucket; no zone has more hours than there are.
  const buckets = bucket === "none" ? 0 : Math.max(0, Math.ceil(length / WIDTHS[bucket])) + 1;
  return Math.min(Math.min(input.limit ?? buckets, buckets) * cellsOfBucket(input), MAX_SERIES_CELLS);
}

/** Refuses a page of a series that is too large, saying what to lower. Throws `invalid_option`. */
export function checkSeriesSize(buckets: number, input: Pick<UsageStatsQuery, "groupBy" | "topN">): void {
  const cells = buckets * cellsOfBucket(input);
  if (cells <= MAX_SERIES_CELLS) return;
  const most = MAX_SERIES_CELLS.toLocaleString("en");
  const limit = Math.floor(MAX_SERIES_CELLS / cellsOfBucket(input));
  const topN = Math.floor(MAX_SERIES_CELLS / buckets) - 1;
  throw new UsageStatsError(
    "invalid_option",
    `The series would have ${buckets.toLocaleString("en")} buckets of ${input.topN + 1} groups each, ` +
      `and may have ${most} together. Lower topN to ${topN}, take a wider bucket or a shorter range, ` +
      `or ask for pages with limit ${limit}.`,
    { field: "topN", value: input.topN, limit: `${most} buckets times groups` },
  );
}

/** How many groups may have a series of their own in so many buckets, at least `topN` and no more than `wanted`. */
export function groupsThatFit(buckets: number, topN: number, wanted: number): number {
  return Math.max(topN, Math.min(wanted, Math.floor(MAX_SERIES_CELLS / Math.max(1, buckets)) - 1));
}
