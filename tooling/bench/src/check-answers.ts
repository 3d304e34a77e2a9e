import { deepStrictEqual } from "node:assert/strict";
import { isSettled, type Metrics, type UsageRepository, type UsageStatsQuery } from "@usage-stats/core";
import { type Connections } from "./bench-database.ts";
import { type Totals } from "./original-totals.ts";
import { type Periods } from "./periods.ts";
import { anHourAfter, ask, query } from "./this-way.ts";

/** Throws unless this answers a query exactly as its raw calls added up do: totals, series, models, groups. */
export async function checkThisAnswer(
  { repository, raw }: Connections,
  input: UsageStatsQuery,
  now: Date,
): Promise<void> {
  deepStrictEqual(await answer(repository, input, now), await answer(raw, input, now));
}

/**
 * Throws unless a query is answered from rollups alone: it is settled, and the one statement for that was enough. What is read live may
 * find nothing changed too and say the same source, so the source alone shows nothing.
 */
export async function checkStored(
  { repository }: Connections,
  input: UsageStatsQuery,
  now: Date,
): Promise<void> {
  const { stats, cost } = await ask(repository, input, now);
  deepStrictEqual(
    { settled: isSettled(input, now), source: stats.freshness.source, statements: cost.statements },
    { settled: true, source: "rollup", statements: 1 },
  );
}

/** All but where the answer came from. */
async function answer(repository: UsageRepository, input: UsageStatsQuery, now: Date) {
  const { freshness: _, ...rest } = (await ask(repository, input, now)).stats;
  return rest;
}

/** Throws unless the original way's totals of both periods are those of raw calls; its credits are floats. */
export async function checkOriginalAnswer(
  { raw }: Connections,
  userDid: string,
  periods: Periods,
  [current, previous]: Totals[],
): Promise<void> {
  const { stats } = await ask(raw, query(userDid, periods.current), anHourAfter(periods.current));
  checkTotals(current!, stats.totals);
  checkTotals(previous!, stats.comparison!.totals);
  deepStrictEqual(
    Object.fromEntries([...current!.byType].map(([type, sums]) => [type, sums.totalCalls])),
    Object.fromEntries(Object.entries(stats.byType).map(([type, metrics]) => [type, metrics.calls])),
  );
}

function checkTotals(found: Totals, expected: Metrics): void {
  deepStrictEqual(
    [found.totalCalls, found.totalUsage, found.successCalls, found.totalCredits.toFixed(4)],
    [expected.calls, expected.totalUsage, expected.successCalls, Number(expected.credits).toFixed(4)],
  );
}
