import { type Bucket } from "./bucket.ts";
import { type Change } from "./growth.ts";
import { type GroupDimension, type GroupKey, type UsageFilter } from "./group-by.ts";
import { type Metrics } from "./metrics.ts";
import { type CallType } from "./model-call.ts";
import { type Percentiles } from "./percentiles.ts";
import { type TimeRange } from "./range.ts";
import { type RankingMetric } from "./ranking-value.ts";

/** A query as a person asks it. */
export type UsageStatsQuery = TimeRange & {
  /** `null` asks for all users together; who may do so is decided before. */
  userDid: string | null;
  timezone: string;
  bucket: Bucket | "auto";
  groupBy: GroupDimension[];
  filter: UsageFilter;
  /** The metric that groups and models are ordered by. */
  rankBy: RankingMetric;
  topN: number;
  compare: "previous" | "none";
  /** Of latencies, ascending and all different: above 0, below 100, with one decimal at the most. Nothing is told of any where it is absent. */
  percentiles?: number[];
  limit?: number;
  cursor?: string;
  /** Have it answered by the database, whatever the cache says. */
  noCache?: boolean;
};

export type MetricsByType = Partial<Record<CallType, Metrics>>;

export type GroupMetrics = { key: GroupKey; metrics: Metrics };

/**
 * Items are the first in the order of the metric that the query ranks by, largest first, equals by key; `other` is everything after them,
 * `null` if there is nothing. `share` is what an item has of that metric's total, 0 to 1, as `sharesOf` rounds it; `null` where there are
 * no shares: of an average, of a total of zero, and where something counts negative.
 */
export type Ranked<Item> = {
  items: (Item & { metrics: Metrics; share: number | null })[];
  other: Metrics | null;
  count: number;
};

export type SeriesItem = {
  start: Date;
  end: Date;
  label: string;
  /** The range cuts the bucket short, or it is not over yet. */
  partial: boolean;
  metrics: Metrics;
  byType: MetricsByType;
  percentiles?: Percentiles;
  /** The items of `groups`, which are the first over the whole range, that had calls here; `key: null` is all others together. */
  groups?: { key: GroupKey | null; metrics: Metrics }[];
};

export type UsageStats = {
  range: TimeRange & { timezone: string; bucket: Bucket };
  totals: Metrics;
  byType: MetricsByType;
  series: SeriesItem[];
  models: Ranked<{ providerId: string; model: string }>;
  groups:
    | (Ranked<{ key: GroupKey; percentiles?: Percentiles }> & { otherPercentiles?: Percentiles | null })
    | null;
  comparison: {
    range: TimeRange;
    totals: Metrics;
    byType: MetricsByType;
    change: Change;
    percentiles?: Percentiles;
  } | null;
  /** Those of `totals`. These and all others are there only where the query asks for percentiles. */
  percentiles?: Percentiles;
  freshness: {
    computedAt: Date;
    /** From this instant on, calls were read one by one, rather than from rollups or the cache. */
    liveFrom: Date;
    source: "cache" | "cache+live" | "rollup" | "rollup+live" | "raw";
  };
  nextCursor: string | null;
};
