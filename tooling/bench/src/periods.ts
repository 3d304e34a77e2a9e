import { previousRange, seriesBuckets, type TimeRange } from "@usage-stats/core";

const DAY = 86_400_000;

export type Periods = { current: TimeRange; previous: TimeRange };

/** The last `days` whole local days of a zone, and as long a time before them. */
export function wholeDays(now: Date, days: number, timezone = "UTC"): Periods {
  const around = { from: new Date(now.getTime() - (days + 2) * DAY), to: now };
  const midnights = seriesBuckets(around, timezone, "day").map(({ start }) => start);
  const current = { from: midnights.at(-1 - days)!, to: midnights.at(-1)! };
  return { current, previous: previousRange(current) };
}
