import { seriesBuckets, type SeriesBucket } from "./bucket-edges.ts";
import { chooseBucket } from "./bucket.ts";
import { type CursorScope, pageOf, type SeriesPage } from "./cursor.ts";
import { changeBetween } from "./growth.ts";
import { sumMeasures, toMetrics } from "./measures.ts";
import { type Measures } from "./metrics.ts";
import { type CallType } from "./model-call.ts";
import {
  type DatabaseCost,
  type ResultCache,
  type Aggregates,
  type AggregateQuery,
  type UsageRepository,
} from "./ports.ts";
import { checkRange, previousRange, type TimeRange } from "./range.ts";
import { type AnswerAggregates, readUsageAggregates } from "./read-usage-aggregates.ts";
import { checkSeriesSize } from "./series-size.ts";
import { isSettled } from "./split-query.ts";
import { parseTimeZone } from "./time-zone.ts";
import {
  type MetricsByType,
  type Ranked,
  type SeriesItem,
  type UsageStats,
  type UsageStatsQuery,
} from "./usage-stats.ts";

/**
 * Answers a usage query: totals, a zero-filled series, the top models and groups, and the period before, all of one
 * database snapshot; or its history from the cache, and the remainder of one. Throws `UsageStatsError` for a query that cannot be
 * answered, and `unavailable` if the database cannot. It ends early, throwing the reason, when `signal` aborts.
 */
export async function getUsageStats(
  context: {
    repository: UsageRepository;
    cache: ResultCache | null;
    /** The instant that it is answered as of. */
    now: Date;
    signal?: AbortSignal | undefined;
  },
  input: UsageStatsQuery,
): Promise<{ stats: UsageStats; cost: DatabaseCost }> {
  const { now } = context;
  const plan = planQuery(input, now);
  const cache = input.noCache === true ? null : context.cache;
  const { aggregates, cost } = await readUsageAggregates({ ...context, cache }, plan.query);
  return { stats: assemble(input, plan, aggregates, now), cost };
}

type Plan = { scope: CursorScope; page: SeriesPage; query: AggregateQuery };

function planQuery(input: UsageStatsQuery, now: Date): Plan {
  const { userDid, groupBy, filter, topN } = input;
  const range = checkRange({ from: input.from, to: input.to });
  const timezone = parseTimeZone(input.timezone);
  const bucket = chooseBucket(input.bucket, range);
  const scope = { userDid, range, timezone, bucket };
  const page = pageOf(seriesBuckets(range, timezone, bucket), scope, input.limit, input.cursor);
  checkSeriesSize(page.buckets.length, input);
  const previous = input.compare === "previous" ? previousRange(range) : null;
  return {
    scope,
    page,
    query: {
      userDid,
      range,
      previous,
      settled: isSettled(range, now),
      edges: edgesOf(page.buckets),
      groupBy,
      filter,
      topN,
    },
  };
}

function edgesOf(buckets: SeriesBucket[]): Date[] {
  const last = buckets.at(-1);
  return last === undefined ? [] : [...buckets.map((bucket) => bucket.start), last.end];
}

function assemble(input: UsageStatsQuery, plan: Plan, aggregates: AnswerAggregates, now: Date): UsageStats {
  const { scope, page, query } = plan;
  const current = aggregates.sums.filter((row) => row.period === "current");
  const totals = sumMeasures(measuresOf(current));
  return {
    range: { ...scope.range, timezone: scope.timezone, bucket: scope.bucket },
    totals: toMetrics(totals),
    byType: byType(current),
    series: series(page.buckets, aggregates, now, input.groupBy.length > 0),
    models: ranked(aggregates.models, input.topN, totals, ({ providerId, model }) => ({ providerId, model })),
    groups:
      input.groupBy.length === 0
        ? null
        : ranked(aggregates.groups, input.topN, totals, ({ key }) => ({ key })),
    comparison: query.previous && comparison(query.previous, aggregates, totals),
    freshness: { computedAt: now, liveFrom: aggregates.liveFrom, source: aggregates.source },
    nextCursor: page.nextCursor,
  };
}

function series(buckets: SeriesBucket[], aggregates: Aggregates, now: Date, grouped: boolean): SeriesItem[] {
  const types = Map.groupBy(aggregates.sums, (row) => row.bucket);
  const groups = Map.groupBy(aggregates.groupSeries, (row) => row.bucket);
  return buckets.map(({ start, end, label, whole }, index) => {
    const rows = types.get(index) ?? [];
    return {
      start,
      end,
      label,
      partial: !whole || end > now,
      metrics: toMetrics(sumMeasures(measuresOf(rows))),
      byType: byType(rows),
      ...(grouped && {
        groups: (groups.get(index) ?? []).map(({ key, measures }) => ({ key, metrics: toMetrics(measures) })),
      }),
    };
  });
}

function comparison(range: TimeRange, aggregates: Aggregates, current: Measures) {
  const rows = aggregates.sums.filter((row) => row.period === "previous");
  const totals = sumMeasures(measuresOf(rows));
  return { range, totals: toMetrics(totals), byType: byType(rows), change: changeBetween(totals, current) };
}

function ranked<Row extends { measures: Measures }, Item>(
  rows: Row[],
  topN: number,
  totals: Measures,
  itemOf: (row: Row) => Item,
): Ranked<Item> {
  const remainder = rows.slice(topN);
  return {
    items: rows.slice(0, topN).map((row) => ({
      ...itemOf(row),
      metrics: toMetrics(row.measures),
      share: row.measures.calls / totals.calls,
    })),
    other: remainder.length === 0 ? null : toMetrics(sumMeasures(measuresOf(remainder))),
    count: rows.length,
  };
}

function byType(rows: { type: CallType; measures: Measures }[]): MetricsByType {
  const types = Map.groupBy(rows, (row) => row.type);
  return Object.fromEntries([...types].map(([type, own]) => [type, toMetrics(sumMeasures(measuresOf(own)))]));
}

function measuresOf(rows: { measures: Measures }[]): Measures[] {
  return rows.map((row) => row.measures);
}
