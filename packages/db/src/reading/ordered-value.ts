import { type Metric, METRICS, type RankingMetric } from "@usage-stats/core";
import { measureSql } from "../layout/stored-measures.ts";

/** A metric of rows of sums, to order by. Who has no average comes after all who have, where the largest are first. */
export function orderedValue(name: RankingMetric): string {
  const { kind, column }: Metric = METRICS[name];
  if (kind !== "average") return measureSql(column);
  return `coalesce((${measureSql(`${column}_sum`)})::numeric / nullif(${measureSql(`${column}_count`)}, 0), -1)`;
}

/**
 * Orders rows of sums by a metric as `largestFirst` of core does, no average last. An average has so many decimals that two which differ
 * never round to the same: fractions of whole numbers below 2^53 are 2^-106 apart, or more.
 */
export function largestFirstBy(name: RankingMetric): string {
  const { kind, column }: Metric = METRICS[name];
  if (kind !== "average") return `${measureSql(column)} desc`;
  return `round((${measureSql(`${column}_sum`)})::numeric, 36) / nullif(${measureSql(`${column}_count`)}, 0) desc nulls last`;
}
