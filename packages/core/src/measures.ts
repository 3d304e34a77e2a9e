import { Big } from "big.js";
import { UsageStatsError } from "./errors.ts";
import { type Measures, type Metrics, metricsOf, WHOLE_COLUMNS, type WholeMeasure } from "./metrics.ts";

export const CREDIT_DECIMALS = 8;

const WHOLE = Object.keys(WHOLE_COLUMNS) as WholeMeasure[];
const UNCHANGED = metricsOf("calls", "sum");
const AVERAGES = metricsOf("average").map(
  (name) => ({ name, sum: `${name}Sum`, count: `${name}Count` }) as const,
);

/** Adds measures exactly; no measures add up to zero. Throws `number_too_large` past 2^53, where a number would round. */
export function sumMeasures(all: Iterable<Measures>): Measures {
  const sum = { credits: "" } as Measures;
  for (const name of WHOLE) sum[name] = 0;
  let credits = Big(0);
  for (const measures of all) {
    for (const name of WHOLE) sum[name] += measures[name];
    credits = credits.plus(measures.credits);
  }
  for (const name of WHOLE) assertExact(name, sum[name]);
  sum.credits = credits.toFixed(CREDIT_DECIMALS);
  return sum;
}

/** Throws `number_too_large` for a sum that a JavaScript number cannot hold exactly. */
export function assertExact(field: string, value: number): void {
  if (Number.isSafeInteger(value)) return;
  throw new UsageStatsError(
    "number_too_large",
    `The sum of ${field} is too large to be exact. Ask for a shorter range.`,
    {
      field,
      limit: String(Number.MAX_SAFE_INTEGER),
    },
  );
}

export function toMetrics(measures: Measures): Metrics {
  const metrics = { credits: measures.credits } as Metrics;
  for (const name of UNCHANGED) metrics[name] = measures[name];
  for (const { name, sum, count } of AVERAGES) metrics[name] = average(measures[sum], measures[count]);
  return metrics;
}

function average(sum: number, count: number): { avg: number } | null {
  return count === 0 ? null : { avg: sum / count };
}
