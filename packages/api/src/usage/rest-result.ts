import {
  type Metrics,
  type MetricsByType,
  type Percentiles,
  type SeriesItem,
  type UsageStats,
} from "@usage-stats/core";

type Totals = { totalUsage: number; totalCredits: number; totalCalls: number };
type ByType = Record<string, Totals & { successCalls: number }>;
/** Only where percentiles are asked for. */
type Told = { percentiles?: Percentiles };
type Growth = { usageGrowth: number; creditsGrowth: number; callsGrowth: number };

/** The answer that existing front ends expect of `GET /app/api/user/usage-stats`, in plain JSON numbers. */
export type RestUsageStats = {
  summary: Totals & { byType: ByType; modelCount: number } & Told;
  /** Only days that had calls; `timestamp` is `date` at 00:00 UTC, in unix seconds. */
  dailyStats: (Totals & { date: string; timestamp: number; byType: ByType } & Told)[];
  /** The first models in the order of what was ranked by; `share` only where somebody said what that is. */
  modelStats: (Totals & {
    providerId: string;
    provider: { id: string; name: string; displayName: string };
    model: string;
    share?: number | null;
  })[];
  /** Growth is a fraction: 1 from a zero base, 0 when both are zero. */
  trendComparison: {
    current: Totals & { byType: ByType } & Told;
    previous: Totals & { byType: ByType } & Told;
    growth: Growth;
  };
};

/** Projects an answer by days, compared with the previous period, onto the REST shape: `withShares` of its models, or as ever. */
export function toRestUsageStats(
  { totals, byType, series, models, comparison, percentiles }: UsageStats,
  withShares: boolean,
): RestUsageStats {
  if (comparison === null) throw new Error("the REST answer needs the previous period");
  const current = { ...totalsOf(totals), byType: byTypeOf(byType), ...told(percentiles) };
  const previous = {
    ...totalsOf(comparison.totals),
    byType: byTypeOf(comparison.byType),
    ...told(comparison.percentiles),
  };
  return {
    summary: { ...current, modelCount: models.count },
    dailyStats: series.filter(({ metrics }) => metrics.calls > 0).map(dayOf),
    modelStats: models.items.map(({ providerId, model, metrics, share }) => ({
      providerId,
      provider: { id: providerId, name: providerId, displayName: providerId },
      model,
      ...totalsOf(metrics),
      ...(withShares && { share }),
    })),
    trendComparison: {
      current,
      previous,
      growth: {
        usageGrowth: growth(comparison.change.usage, current.totalUsage),
        creditsGrowth: growth(comparison.change.credits, current.totalCredits),
        callsGrowth: growth(comparison.change.calls, current.totalCalls),
      },
    },
  };
}

function totalsOf(metrics: Metrics): Totals {
  return { totalUsage: metrics.totalUsage, totalCredits: Number(metrics.credits), totalCalls: metrics.calls };
}

function byTypeOf(byType: MetricsByType): ByType {
  return Object.fromEntries(
    Object.entries(byType).map(([type, metrics]) => [
      type,
      { ...totalsOf(metrics), successCalls: metrics.successCalls },
    ]),
  );
}

function dayOf({ label, metrics, byType, percentiles }: SeriesItem): RestUsageStats["dailyStats"][number] {
  return {
    date: label,
    timestamp: Date.parse(label) / 1000,
    ...totalsOf(metrics),
    byType: byTypeOf(byType),
    ...told(percentiles),
  };
}

function told(percentiles: Percentiles | undefined): Told {
  return percentiles === undefined ? {} : { percentiles };
}

/** From a zero base the core knows no fraction; the front ends expect 1, or 0 where nothing came of nothing. */
function growth(change: number | null, current: number): number {
  return change ?? (current > 0 ? 1 : 0);
}
