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
  type SummedFacts,
  type UsageQuestion,
  type UsageRepository,
} from "./ports.ts";
import { checkRange, previousRange, type TimeRange } from "./range.ts";
import { type ReadFacts, readUsageFacts } from "./read-usage-facts.ts";
import { checkSeriesSize } from "./series-size.ts";
import { isSettled } from "./split-question.ts";
import { parseTimeZone } from "./time-zone.ts";
import {
  type MetricsByType,
  type Ranked,
  type SeriesItem,
  type UsageStats,
  type UsageStatsInput,
} from "./usage-stats.ts";

/**
 * Answers a usage question: totals, a zero-filled series, the top models and groups, and the period before, all of one
 * database snapshot; or its history from the cache, and the rest of one. Throws `UsageError` for a question that cannot be
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
  input: UsageStatsInput,
): Promise<{ stats: UsageStats; cost: DatabaseCost }> {
  const { now } = context;
  const plan = planQuestion(input, now);
  const cache = input.noCache === true ? null : context.cache;
  const { facts, cost } = await readUsageFacts({ ...context, cache }, plan.question);
  return { stats: assemble(input, plan, facts, now), cost };
}

type Plan = { scope: CursorScope; page: SeriesPage; question: UsageQuestion };

function planQuestion(input: UsageStatsInput, now: Date): Plan {
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
    question: {
      userDid,
      range,
      previous,
      closed: isSettled(range, now),
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

function assemble(input: UsageStatsInput, plan: Plan, facts: ReadFacts, now: Date): UsageStats {
  const { scope, page, question } = plan;
  const current = facts.sums.filter((row) => row.period === "current");
  const totals = sumMeasures(measuresOf(current));
  return {
    range: { ...scope.range, timezone: scope.timezone, bucket: scope.bucket },
    totals: toMetrics(totals),
    byType: byType(current),
    series: series(page.buckets, facts, now, input.groupBy.length > 0),
    models: ranked(facts.models, input.topN, totals, ({ providerId, model }) => ({ providerId, model })),
    groups:
      input.groupBy.length === 0 ? null : ranked(facts.groups, input.topN, totals, ({ key }) => ({ key })),
    comparison: question.previous && comparison(question.previous, facts, totals),
    freshness: { computedAt: now, liveFrom: facts.liveFrom, source: facts.source },
    nextCursor: page.nextCursor,
  };
}

function series(buckets: SeriesBucket[], facts: SummedFacts, now: Date, grouped: boolean): SeriesItem[] {
  const types = Map.groupBy(facts.sums, (row) => row.bucket);
  const groups = Map.groupBy(facts.groupSeries, (row) => row.bucket);
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

function comparison(range: TimeRange, facts: SummedFacts, current: Measures) {
  const rows = facts.sums.filter((row) => row.period === "previous");
  const totals = sumMeasures(measuresOf(rows));
  return { range, totals: toMetrics(totals), byType: byType(rows), change: changeBetween(totals, current) };
}

function ranked<Row extends { measures: Measures }, Item>(
  rows: Row[],
  topN: number,
  totals: Measures,
  itemOf: (row: Row) => Item,
): Ranked<Item> {
  const rest = rows.slice(topN);
  return {
    items: rows.slice(0, topN).map((row) => ({
      ...itemOf(row),
      metrics: toMetrics(row.measures),
      share: row.measures.calls / totals.calls,
    })),
    other: rest.length === 0 ? null : toMetrics(sumMeasures(measuresOf(rest))),
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
