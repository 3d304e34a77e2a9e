import { type SeriesBucket } from "./bucket-edges.ts";
import { changeBetween } from "./growth.ts";
import { type CreditUnits, parseCredits } from "./credit-units.ts";
import {
  addMeasures,
  amountOf,
  isAddedUp,
  type MeasureSum,
  measuresOf,
  NOTHING,
  sumMeasures,
  toMetrics,
} from "./measures.ts";
import { type Measures, type Metrics } from "./metrics.ts";
import { type CallType } from "./model-call.ts";
import { type Aggregates } from "./ports.ts";
import { type TimeRange } from "./range.ts";
import { type RankingMetric } from "./ranking-value.ts";
import { sharesOf } from "./shares.ts";
import { type MetricsByType, type Ranked, type SeriesItem, type UsageStats } from "./usage-stats.ts";

/** What of a query says how its answer is put together. */
export type AnswerShape = {
  /** The buckets of the page of the series. */
  buckets: SeriesBucket[];
  grouped: boolean;
  rankBy: RankingMetric;
  topN: number;
  previous: TimeRange | null;
  now: Date;
};

/** What of an answer is made of sums. */
export type AssembledStats = Pick<
  UsageStats,
  "totals" | "byType" | "series" | "models" | "groups" | "comparison" | "percentiles"
>;

/** Puts an answer together, in one pass over the sums. Throws `number_too_large` for a sum that a number cannot hold exactly. */
export function assembleStats(shape: AnswerShape, aggregates: Aggregates): AssembledStats {
  const current = new SumsByType();
  const previous = new SumsByType();
  const series = shape.buckets.map(() => new SumsByType());
  for (const { period, bucket, type, measures } of aggregates.sums) {
    const credits = parseCredits(measures.credits);
    (period === "current" ? current : previous).add(type, measures, credits);
    if (bucket !== null) series[bucket]?.add(type, measures, credits);
  }
  const { metrics: totals, byType } = current.finish();
  return {
    totals,
    byType,
    series: seriesItems(shape, series, aggregates.groupSeries),
    models: ranked(shape, aggregates.models, ({ providerId, model }) => ({ providerId, model })),
    groups: shape.grouped ? ranked(shape, aggregates.groups, ({ key }) => ({ key })) : null,
    comparison: shape.previous && comparison(shape.previous, previous, totals),
  };
}

/** Sums of calls: of all, and by their types in the order in which they come. */
class SumsByType {
  #total = NOTHING;
  readonly #types = new Map<CallType, { first: Measures; sum: MeasureSum | null }>();

  add(type: CallType, measures: Measures, credits: CreditUnits): void {
    this.#total = addMeasures(this.#total, measures, credits);
    const known = this.#types.get(type);
    if (known === undefined) this.#types.set(type, { first: measures, sum: null });
    else known.sum = addMeasures(known.sum ?? sumOf(known.first), measures, credits);
  }

  finish(): { metrics: Metrics; byType: MetricsByType } {
    const metrics = toMetrics(measuresOf(this.#total));
    const byType: MetricsByType = {};
    // Most types of a bucket have one row, which is what they add up to.
    for (const [type, { first, sum }] of this.#types)
      byType[type] = toMetrics(sum === null ? first : measuresOf(sum));
    return { metrics, byType };
  }
}

function sumOf(measures: Measures): MeasureSum {
  return addMeasures(NOTHING, measures, parseCredits(measures.credits));
}

function seriesItems(
  { buckets, grouped, now }: AnswerShape,
  sums: SumsByType[],
  groupSeries: Aggregates["groupSeries"],
): SeriesItem[] {
  const groups: NonNullable<SeriesItem["groups"]>[] = grouped ? buckets.map(() => []) : [];
  for (const { bucket, key, measures } of grouped ? groupSeries : [])
    groups[bucket]?.push({ key, metrics: toMetrics(measures) });
  return buckets.map(({ start, end, label, whole }, i) => ({
    start,
    end,
    label,
    partial: !whole || end > now,
    ...sums[i]!.finish(),
    ...(grouped && { groups: groups[i]! }),
  }));
}

function comparison(range: TimeRange, sums: SumsByType, current: UsageStats["totals"]) {
  const { metrics: totals, byType } = sums.finish();
  return { range, totals, byType, change: changeBetween(totals, current) };
}

function ranked<Row extends { measures: Measures }, Item>(
  { rankBy, topN }: AnswerShape,
  rows: Row[],
  itemOf: (row: Row) => Item,
): Ranked<Item> {
  const others = rows.slice(topN);
  const shares = isAddedUp(rankBy)
    ? sharesOf(
        rows.map(({ measures }) => amountOf(measures, rankBy)),
        topN,
      )
    : [];
  return {
    items: rows.slice(0, topN).map((row, i) => ({
      ...itemOf(row),
      metrics: toMetrics(row.measures),
      share: shares[i] ?? null,
    })),
    other: others.length === 0 ? null : toMetrics(sumMeasures(others.map(({ measures }) => measures))),
    count: rows.length,
  };
}
