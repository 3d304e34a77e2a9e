import { type UsageFilter } from "./group-by.ts";
import { type Metrics } from "./metrics.ts";
import { type RankingMetric } from "./ranking-value.ts";
import { type TimeRange } from "./range.ts";
import { type UsageStats } from "./usage-stats.ts";

export const RANKED_BY = ["user", "app", "model"] as const;
export type RankedBy = (typeof RANKED_BY)[number];

/** Which users, apps or models used how much: of everyone's calls in a range. */
export type UsageRankingQuery = TimeRange & {
  by: RankedBy;
  filter: UsageFilter;
  orderBy: RankingMetric;
  direction: "desc" | "asc";
  /** Text that a name must hold, in whatever case; none for all. */
  search: string | null;
  limit: number;
  cursor?: string;
};

/** What a row of a ranking is about. `appDid` is `null` for calls that name no app. */
export type RankingKeys = {
  user: { userDid: string };
  app: { appDid: string | null };
  model: { providerId: string; model: string };
};

/** Items, page after page, add up to `matched`, and without a search that is `totals`. */
export type UsageRanking<By extends RankedBy = RankedBy> = {
  range: TimeRange;
  /** `rank` counts from 1; `share` is of all calls in the range, 0 to 1. */
  items: (RankingKeys[By] & { rank: number; metrics: Metrics; share: number })[];
  /** Everything in the range that the filter lets through. */
  totals: Metrics;
  /** What the search found, on all pages. */
  matched: { count: number; metrics: Metrics };
  freshness: UsageStats["freshness"];
  nextCursor: string | null;
};
