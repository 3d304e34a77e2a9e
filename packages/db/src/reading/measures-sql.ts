import {
  assertExact,
  CALL_FIELDS,
  type MeasureColumn,
  type Measures,
  type Metric,
  METRIC_NAMES,
  METRICS,
  type RankingMetric,
  WHOLE_COLUMNS,
  type WholeMeasure,
} from "@usage-stats/core";

const WHOLE = Object.entries(WHOLE_COLUMNS) as [WholeMeasure, MeasureColumn][];

export const MEASURE_COLUMNS: MeasureColumn[] = [
  ...WHOLE.map(([, column]) => column),
  METRICS.credits.column,
];

/** The columns of a rollup as they are. */
export const MEASURES = MEASURE_COLUMNS.join(", ");

/** What takes a rollup's row away when it is added. */
export const NEGATED_MEASURES = MEASURE_COLUMNS.map((column) => `-${column} as ${column}`).join(", ");

/**
 * The sums of rollup rows, whole numbers by `sum8`: an exact bigint, or an error (22003) past 2^63. PostgreSQL's own sum of bigints adds
 * them up as numerics, which takes longer.
 */
export const SUMMED_MEASURES = sumsBy("sum8");

/** The sums of rollup rows however large: whole numbers as numerics. */
export const SUMMED_MEASURES_OF_ANY_SIZE = sumsBy("sum");

function sumsBy(sumOfWhole: string): string {
  const whole = WHOLE.map(([, column]) => `${sumOfWhole}(${column}) as ${column}`);
  const { column } = METRICS.credits;
  return [...whole, `sum(${column}) as ${column}`].join(", ");
}

/** One call as a row to be added up. Latencies are of successful calls; what is unknown (null), or no number, adds nothing. */
export const CALL_MEASURES = METRIC_NAMES.map((name) => ofCall(METRICS[name])).join(", ");

/** What a call adds to a metric. A field has the same column in calls as its sum has in rollups. */
function ofCall(metric: Metric): string {
  const { kind, column } = metric;
  switch (kind) {
    case "calls":
      return `${countOf(metric)} as ${column}`;
    case "sum":
      return `coalesce(${column}, 0) as ${column}`;
    case "decimal_sum":
      return `coalesce(nullif(${column}, 'NaN'), 0.00000000) as ${column}`;
    case "average": {
      const isKnown = `status = 'success' and ${column} is not null`;
      return `case when ${isKnown} then ${column} else 0 end as ${column}_sum, (${isKnown})::int as ${column}_count`;
    }
  }
}

/** 1 for a call that is counted, 0 for any other. */
function countOf({ status, unknown }: Metric & { kind: "calls" }): string {
  if (status !== undefined) return `(status = '${status}')::int`;
  return unknown === undefined ? "1" : `(${CALL_FIELDS[unknown].column} is null)::int`;
}

/** A metric of rows of sums, to order by. Who has no average comes after all who have, where the largest are first. */
export function orderedValue(name: RankingMetric): string {
  const { kind, column }: Metric = METRICS[name];
  return kind === "average" ? `coalesce(${column}_sum::numeric / nullif(${column}_count, 0), -1)` : column;
}

/**
 * Orders rows of sums by a metric as `largestFirst` of core does, no average last. An average has so many decimals that two which differ
 * never round to the same: fractions of whole numbers below 2^53 are 2^-106 apart, or more.
 */
export function largestFirstBy(name: RankingMetric): string {
  const { kind, column }: Metric = METRICS[name];
  if (kind !== "average") return `${column} desc`;
  return `round(${column}_sum::numeric, 36) / nullif(${column}_count, 0) desc nulls last`;
}

export type MeasuresRow = Record<MeasureColumn, string>;

/** Reads a row's sums, which PostgreSQL sends as text. Throws `number_too_large` where a number would round. */
export function measuresOf(row: MeasuresRow): Measures {
  const measures = { credits: row.credits } as Measures;
  for (const [field, column] of WHOLE) {
    const sum = Number(row[column]);
    assertExact(field, sum);
    measures[field] = sum;
  }
  return measures;
}
