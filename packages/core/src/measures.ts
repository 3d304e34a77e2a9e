import { addCredits, type CreditUnits, formatCredits, parseCredits } from "./credit-units.ts";
import { UsageStatsError } from "./errors.ts";
import { type AddedUp, type Measures, METRICS, type Metrics, type WholeMeasure } from "./metrics.ts";

/** A sum under way: it may be more than a number holds exactly, and its credits are not text yet. */
export type MeasureSum = Record<WholeMeasure, number> & { credits: CreditUnits };

// Every name stands here, though the list of metrics has them, because a name that is a variable costs as much as all that an answer
// does with its value. What has no name here does not compile.

/** No measures, added up. */
export const NOTHING: MeasureSum = {
  credits: 0,
  calls: 0,
  successCalls: 0,
  failedCalls: 0,
  inputTokens: 0,
  outputTokens: 0,
  cachedInputTokens: 0,
  cacheWriteTokens: 0,
  reasoningTokens: 0,
  totalUsage: 0,
  unpricedCalls: 0,
  durationMsSum: 0,
  durationMsCount: 0,
  ttfbMsSum: 0,
  ttfbMsCount: 0,
};

/** A sum and measures together; `credits` are those of the measures, read. */
export function addMeasures(sum: MeasureSum, measures: Measures, credits: CreditUnits): MeasureSum {
  return {
    credits: addCredits(sum.credits, credits),
    calls: sum.calls + measures.calls,
    successCalls: sum.successCalls + measures.successCalls,
    failedCalls: sum.failedCalls + measures.failedCalls,
    inputTokens: sum.inputTokens + measures.inputTokens,
    outputTokens: sum.outputTokens + measures.outputTokens,
    cachedInputTokens: sum.cachedInputTokens + measures.cachedInputTokens,
    cacheWriteTokens: sum.cacheWriteTokens + measures.cacheWriteTokens,
    reasoningTokens: sum.reasoningTokens + measures.reasoningTokens,
    totalUsage: sum.totalUsage + measures.totalUsage,
    unpricedCalls: sum.unpricedCalls + measures.unpricedCalls,
    durationMsSum: sum.durationMsSum + measures.durationMsSum,
    durationMsCount: sum.durationMsCount + measures.durationMsCount,
    ttfbMsSum: sum.ttfbMsSum + measures.ttfbMsSum,
    ttfbMsCount: sum.ttfbMsCount + measures.ttfbMsCount,
  };
}

/** A sum that is complete. Throws `number_too_large` past 2^53, where a number would round. */
export function measuresOf(sum: MeasureSum): Measures {
  return {
    credits: formatCredits(sum.credits),
    calls: exact("calls", sum.calls),
    successCalls: exact("successCalls", sum.successCalls),
    failedCalls: exact("failedCalls", sum.failedCalls),
    inputTokens: exact("inputTokens", sum.inputTokens),
    outputTokens: exact("outputTokens", sum.outputTokens),
    cachedInputTokens: exact("cachedInputTokens", sum.cachedInputTokens),
    cacheWriteTokens: exact("cacheWriteTokens", sum.cacheWriteTokens),
    reasoningTokens: exact("reasoningTokens", sum.reasoningTokens),
    totalUsage: exact("totalUsage", sum.totalUsage),
    unpricedCalls: exact("unpricedCalls", sum.unpricedCalls),
    durationMsSum: exact("durationMsSum", sum.durationMsSum),
    durationMsCount: exact("durationMsCount", sum.durationMsCount),
    ttfbMsSum: exact("ttfbMsSum", sum.ttfbMsSum),
    ttfbMsCount: exact("ttfbMsCount", sum.ttfbMsCount),
  };
}

/** Measures as people read them. */
export function toMetrics(measures: Measures): Metrics {
  return {
    credits: measures.credits,
    calls: measures.calls,
    successCalls: measures.successCalls,
    failedCalls: measures.failedCalls,
    inputTokens: measures.inputTokens,
    outputTokens: measures.outputTokens,
    cachedInputTokens: measures.cachedInputTokens,
    cacheWriteTokens: measures.cacheWriteTokens,
    reasoningTokens: measures.reasoningTokens,
    totalUsage: measures.totalUsage,
    unpricedCalls: measures.unpricedCalls,
    durationMs: average(measures.durationMsSum, measures.durationMsCount),
    ttfbMs: average(measures.ttfbMsSum, measures.ttfbMsCount),
  };
}

/** Whether a metric is added up over calls, and not an average of them. */
export function isAddedUp(name: keyof Metrics): name is AddedUp {
  return METRICS[name].kind !== "average";
}

/** How much measures have of a metric that is added up: credits in whole units of their last decimal. */
export function amountOf(measures: Measures, name: AddedUp): CreditUnits {
  return name === "credits" ? parseCredits(measures.credits) : measures[name];
}

function average(sum: number, count: number): { avg: number } | null {
  return count === 0 ? null : { avg: sum / count };
}

/** Adds measures exactly; no measures add up to zero. Throws `number_too_large` past 2^53, where a number would round. */
export function sumMeasures(all: Iterable<Measures>): Measures {
  let sum = NOTHING;
  for (const measures of all) sum = addMeasures(sum, measures, parseCredits(measures.credits));
  return measuresOf(sum);
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

function exact(field: WholeMeasure, value: number): number {
  assertExact(field, value);
  return value;
}
