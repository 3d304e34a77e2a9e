import {
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
    topN: 5,
    compare: "previous",
    ...options,
  };
}

/** Answers it as the server does, short of the cache and HTTP. */
export async function ask(repository: UsageRepository, input: UsageStatsQuery): Promise<UsageStats> {
  const { stats } = await getUsageStats({ repository, cache: null, now: input.to }, input);
  return stats;
}
