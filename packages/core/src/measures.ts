import { Big } from "big.js";
import { UsageError } from "./errors.ts";

/** What can be added up: counts, sums, and credits as a decimal string. Latencies are of successful calls only. */
export type Measures = {
  calls: number;
  successCalls: number;
  failedCalls: number;
  inputTokens: number;
  outputTokens: number;
  cachedInputTokens: number;
  totalUsage: number;
  credits: string;
  durationMsSum: number;
  durationMsCount: number;
  ttfbMsSum: number;
  ttfbMsCount: number;
};

/** What people read. `durationMs` and `ttfbMs` are `null` where no successful call told its latency. */
export type Metrics = {
  calls: number;
  successCalls: number;
  failedCalls: number;
  inputTokens: number;
  outputTokens: number;
  cachedInputTokens: number;
  totalUsage: number;
  /** A decimal with 8 places, as a string, because a float cannot hold money. */
  credits: string;
  durationMs: { avg: number } | null;
  ttfbMs: { avg: number } | null;
};

const COUNTS = [
  "calls",
  "successCalls",
  "failedCalls",
  "inputTokens",
  "outputTokens",
  "cachedInputTokens",
  "totalUsage",
  "durationMsSum",
  "durationMsCount",
  "ttfbMsSum",
  "ttfbMsCount",
] as const;

export const CREDIT_DECIMALS = 8;

/** Adds measures exactly; no measures add up to zero. Throws `number_too_large` past 2^53, where a number would round. */
export function sumMeasures(all: Iterable<Measures>): Measures {
  const sum = { credits: "" } as Measures;
  for (const name of COUNTS) sum[name] = 0;
  let credits = Big(0);
  for (const measures of all) {
    for (const name of COUNTS) sum[name] += measures[name];
    credits = credits.plus(measures.credits);
  }
  for (const name of COUNTS) assertExact(name, sum[name]);
  sum.credits = credits.toFixed(CREDIT_DECIMALS);
  return sum;
}

/** Throws `number_too_large` for a sum that a JavaScript number cannot hold exactly. */
export function assertExact(field: string, value: number): void {
  if (Number.isSafeInteger(value)) return;
  throw new UsageError(
    "number_too_large",
    `The sum of ${field} is too large to be exact. Ask for a shorter range.`,
    {
      field,
      limit: String(Number.MAX_SAFE_INTEGER),
    },
  );
}

export function toMetrics(measures: Measures): Metrics {
  const { durationMsSum, durationMsCount, ttfbMsSum, ttfbMsCount, ...counts } = measures;
  return {
    ...counts,
    durationMs: average(durationMsSum, durationMsCount),
    ttfbMs: average(ttfbMsSum, ttfbMsCount),
  };
}

function average(sum: number, count: number): { avg: number } | null {
  return count === 0 ? null : { avg: sum / count };
}
