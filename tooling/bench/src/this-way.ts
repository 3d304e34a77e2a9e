import {
  type DatabaseCost,
  getUsageStats,
  type TimeRange,
  type UsageRepository,
  type UsageStats,
  type UsageStatsQuery,
} from "@usage-stats/core";

/** A query with the options that a page asks with when nobody chose any. */
export function query(
  userDid: string | null,
  range: TimeRange,
  options: Partial<UsageStatsQuery> = {},
): UsageStatsQuery {
  return {
    ...range,
    userDid,
    timezone: "UTC",
    bucket: "auto",
    groupBy: [],
    filter: {},
    rankBy: "calls",
    topN: 5,
    compare: "previous",
    ...options,
  };
}

/** Long enough after a range that all of it is settled. */
export function anHourAfter({ to }: TimeRange): Date {
  return new Date(to.getTime() + 3_600_000);
}

/** Answers it as the server does at an instant, short of the cache and HTTP. */
export function ask(
  repository: UsageRepository,
  input: UsageStatsQuery,
  now: Date,
): Promise<{ stats: UsageStats; cost: DatabaseCost }> {
  return getUsageStats({ repository, cache: null, now }, input);
}
