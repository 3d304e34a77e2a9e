import { amountOf, isAddedUp } from "./measures.ts";
import { type CreditUnits } from "./credit-units.ts";
import { type Measures, METRIC_NAMES, type Metrics } from "./metrics.ts";

/** What can be ranked by: any metric. Where averages are largest first, no average comes last. */
export const RANKING_METRICS = METRIC_NAMES;
export type RankingMetric = keyof Metrics;

/** What measures are ranked by, as a fraction: an amount over 1, or an average's sum over its count, which is 0 where there is no average. */
export type RankingValue = { sum: CreditUnits; count: number };

/** Gives what measures are ranked by in the order of a metric. */
export function rankingValue(measures: Measures, name: RankingMetric): RankingValue {
  if (isAddedUp(name)) return { sum: amountOf(measures, name), count: 1 };
  const count = measures[`${name}Count`];
  return { sum: count === 0 ? 0 : measures[`${name}Sum`], count };
}

/** Compares exactly, to sort the largest first; no average comes after every average. */
export function largestFirst(one: RankingValue, other: RankingValue): number {
  if (one.count === other.count) return compare(other.sum, one.sum);
  if (one.count === 0) return 1;
  if (other.count === 0) return -1;
  return compare(BigInt(other.sum) * BigInt(one.count), BigInt(one.sum) * BigInt(other.count));
}

function compare(one: CreditUnits, other: CreditUnits): number {
  if (one === other) return 0;
  return one < other ? -1 : one > other ? 1 : 0;
}
