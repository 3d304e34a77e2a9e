import { UsageStatsError } from "./errors.ts";

/** Half-open: `from` is inside, `to` is not. */
export type TimeRange = { from: Date; to: Date };

// Before 2000 some zones were not whole quarters of an hour from UTC, which the quarter grain relies on.
const EARLIEST = Date.UTC(2000, 0, 1);
const LATEST = Date.UTC(2100, 0, 1);

/** Checks that the range is a real, forward one between the years 2000 and 2100. Throws `invalid_time` or `invalid_range`. */
export function checkRange(range: TimeRange): TimeRange {
  for (const field of ["from", "to"] as const) {
    const time = range[field].getTime();
    if (Number.isNaN(time) || time < EARLIEST || time > LATEST) {
      throw new UsageStatsError(
        "invalid_time",
        `${field} must be an instant between the years 2000 and 2100.`,
        {
          field,
          value: range[field],
          limit: "2000-01-01..2100-01-01",
        },
      );
    }
  }
  if (range.to <= range.from) {
    throw new UsageStatsError(
      "invalid_range",
      "from must be before to: the range is half-open, [from, to).",
      {
        field: "to",
        value: range.to,
        limit: `after ${range.from.toISOString()}`,
      },
    );
  }
  return range;
}

/** The range of the same length that ends where this one starts. */
export function previousRange({ from, to }: TimeRange): TimeRange {
  return { from: new Date(2 * from.getTime() - to.getTime()), to: from };
}
