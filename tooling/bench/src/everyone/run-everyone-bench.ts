import { rollUp } from "@usage-stats/db";
import { type BenchDatabase } from "../bench-database.ts";
import { atMost, type Goal, MILLISECONDS, TIMES } from "../goals.ts";
import { goalsTable } from "../goals-table.ts";
import { loadCalls } from "../load-calls.ts";
import { measure, medianOf, type Timing, timingsTable } from "../measure.ts";
import { type Progress } from "../progress.ts";
import { type Rate, ratesTable, rateText, startWatch } from "../rate.ts";
import { readTableSizes, rollupShare, sizesTable, type TableSize } from "../table-sizes.ts";
import { ASKED, everyonesCases } from "./everyones-cases.ts";
import { EVERYONE, lateInAQuarter, openHistory, sparseHistory } from "./everyones-history.ts";

export type EveryoneBenchResult = { goals: Goal[]; timings: Timing[]; rates: Rate[]; sizes: TableSize[] };

/**
 * What many users with few calls each cost: the size of their rollups, their rankings, and everyone's usage while a quarter of many
 * calls is open. Last, that quarter is rolled up.
 */
export async function runEveryoneBench(
  database: BenchDatabase,
  { now: started, progress }: { now: Date; progress: Progress },
): Promise<EveryoneBenchResult> {
  const { orm, pool } = database;
  const now = lateInAQuarter(started);
  progress.show(`loading ${EVERYONE.calls} calls of ${EVERYONE.users} users`);
  await loadCalls(pool, [sparseHistory(now)]);
  const sparse = await roll(EVERYONE.calls, "sparse calls rolled up");
  const sizes = await readTableSizes(pool);

  progress.show(`loading ${EVERYONE.openCalls} open calls`);
  await loadCalls(pool, [openHistory(now)]);
  await pool.query("vacuum analyze");
  const timings = await measure(everyonesCases(database, now), { roundShare: 1, onProgress: progress.show });
  const closing = await roll(EVERYONE.openCalls, "calls of a quarter that closes rolled up");
  return { goals: judge(timings, sizes), timings, rates: [sparse, closing], sizes };

  async function roll(count: number, name: string): Promise<Rate> {
    await pool.query("analyze model_calls, model_call_changes");
    const seconds = startWatch();
    await rollUp(orm, {
      onProgress: (done, total) => progress.show(`${name}: ${done} of ${total} quarters of users`),
    });
    const rate = { name, count, seconds: seconds() };
    progress.say(rateText(rate));
    await pool.query("vacuum analyze");
    return rate;
  }
}

function judge(timings: Timing[], sizes: TableSize[]): Goal[] {
  const within = (name: string, wanted: number) =>
    atMost(name, medianOf(timings, name), wanted, MILLISECONDS);
  return [
    within(ASKED.ranking, 30),
    within(ASKED.rankingByCredits, 30),
    within(ASKED.rankingNow, 50),
    within(ASKED.allNow, 50),
    atMost("size of rollups, of these calls (sparse)", rollupShare(sizes), 1, TIMES),
  ];
}

/** The result for people. */
export function everyoneReportText({ goals, timings, rates, sizes }: EveryoneBenchResult): string {
  const { users, calls, openCalls } = EVERYONE;
  return [
    ratesTable(rates),
    sizesTable(sizes),
    timingsTable(`${users} users, ${calls} calls and ${openCalls} open ones`, timings),
    goalsTable(goals),
  ].join("\n\n");
}
