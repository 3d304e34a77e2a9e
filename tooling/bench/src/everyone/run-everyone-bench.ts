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
import {
  type EveryonesSize,
  lateInAQuarter,
  openHistory,
  SMALL,
  sparseHistory,
  WHOLE,
} from "./everyones-history.ts";

export type EveryoneBenchResult = {
  size: EveryonesSize;
  goals: Goal[];
  timings: Timing[];
  rates: Rate[];
  sizes: TableSize[];
};

/**
 * What many users with few calls each cost: the size of their rollups, their rankings, and everyone's usage while a quarter of many
 * calls is open, as a server's worker leaves it: rolled up some seconds ago. Nothing is judged where it is `small`.
 */
export async function runEveryoneBench(
  database: BenchDatabase,
  { now: started, small, progress }: { now: Date; small: boolean; progress: Progress },
): Promise<EveryoneBenchResult> {
  const { orm, pool } = database;
  const size = small ? SMALL : WHOLE;
  const now = lateInAQuarter(started);
  progress.show(`loading ${size.calls} calls of ${size.users} users`);
  await loadCalls(pool, [sparseHistory(now, size)]);
  const sparse = await roll(size.calls, "sparse calls rolled up");
  const sizes = await readTableSizes(pool);

  progress.show(`loading ${size.openCalls} open calls`);
  const { rolledUp, since } = openHistory(now, size);
  await loadCalls(pool, [rolledUp]);
  const open = await roll(rolledUp.calls, "calls of an open quarter rolled up");
  await loadCalls(pool, [since]);
  await pool.query("vacuum analyze");
  const timings = await measure(everyonesCases(database, now), { roundShare: 1, onProgress: progress.show });
  return { size, goals: small ? [] : judge(timings, sizes), timings, rates: [sparse, open], sizes };

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
export function everyoneReportText({ size, goals, timings, rates, sizes }: EveryoneBenchResult): string {
  const { users, calls, openCalls } = size;
  return [
    ratesTable(rates),
    sizesTable(sizes),
    timingsTable(`${users} users, ${calls} calls and ${openCalls} open ones`, timings),
    goals.length === 0 ? `Goals are of ${WHOLE.users} users: nothing is judged.` : goalsTable(goals),
  ].join("\n\n");
}
