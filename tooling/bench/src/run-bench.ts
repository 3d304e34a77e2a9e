import { type BenchDatabase } from "./bench-database.ts";
import { storedCases, unstoredCases } from "./cases.ts";
import { fillDatabase } from "./fill-database.ts";
import { compare, judge } from "./answer-goals.ts";
import { type Comparison, type Goal } from "./goals.ts";
import { unrolledHistory, USERS } from "./history.ts";
import { loadCalls } from "./load-calls.ts";
import { describeMachine, type Machine } from "./machine.ts";
import { measure, type Timing } from "./measure.ts";
import { copyToOriginal } from "./original-tables.ts";
import { createPeers } from "./peers/create-peers.ts";
import { wholeDays } from "./periods.ts";
import { type Progress } from "./progress.ts";
import { type Rate } from "./rate.ts";
import { readTableSizes, type TableSize } from "./table-sizes.ts";

export type BenchResult = {
  goals: Goal[];
  comparisons: Comparison[];
  timings: Timing[];
  rates: Rate[];
  sizes: TableSize[];
  machine: Machine;
  now: string;
};

/** Fills a database and measures every way of answering on it, in this one process. */
export async function runBench(
  database: BenchDatabase,
  { now, calls, roundShare, progress }: { now: Date; calls: number; roundShare: number; progress: Progress },
): Promise<BenchResult> {
  const machine = await describeMachine(database.pool);
  const rates = await fillDatabase(database, { now, calls, progress });
  const sizes = await readTableSizes(database.pool);
  const { current, previous } = wholeDays(now, 30);
  const peers = await createPeers(database.pool, { from: previous.from, to: current.to, progress });
  const measuring = { roundShare, onProgress: progress.show };
  const stored = await measure(storedCases(database, now, peers), measuring);
  // Only now, because all users together would have to read these calls one by one too.
  await loadCalls(database.pool, [unrolledHistory(now)]);
  await copyToOriginal(database.pool, USERS.unrolled);
  await database.pool.query("vacuum analyze model_calls, model_call_changes, original_model_calls");
  const unstored = await measure(unstoredCases(database, now), measuring);
  // The floor was measured in both; the first is the one beside the goals.
  const timings = [...stored, ...unstored.filter(({ name }) => name !== "SELECT 1")];
  const measured = { timings, rates, sizes };
  return {
    ...measured,
    goals: judge(measured),
    comparisons: compare(measured),
    machine,
    now: now.toISOString(),
  };
}
