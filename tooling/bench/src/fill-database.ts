import { rollUp } from "@usage-stats/db";
import { type BenchDatabase } from "./bench-database.ts";
import { rolledHistory } from "./history.ts";
import { loadCalls } from "./load-calls.ts";
import { createOriginalTables } from "./original-tables.ts";
import { type Progress } from "./progress.ts";
import { wholeDays } from "./periods.ts";
import { type Rate, rateText, startWatch } from "./rate.ts";

/** The rate that a goal is of. */
export const ROLLED_UP = "calls rolled up";

/** Loads the calls, rolls them up, and makes the original's tables beside them. */
export async function fillDatabase(
  { orm, pool }: Pick<BenchDatabase, "orm" | "pool">,
  { now, calls, progress }: { now: Date; calls: number; progress: Progress },
): Promise<Rate[]> {
  const loading = startWatch();
  await loadCalls(pool, rolledHistory(now, calls), (done) =>
    progress.show(`loading: ${done} of ${calls} calls`),
  );
  const loaded = await count("select count(*) from model_calls");
  const load = { name: "calls loaded", count: loaded, seconds: loading() };
  progress.say(rateText(load));
  // A partition that was just filled has no statistics, as after any import; autovacuum would bring them in its own time.
  await pool.query("analyze model_calls, model_call_changes");

  const rolling = startWatch();
  const quarters = await rollUp(orm, {
    onProgress: (done, total) => progress.show(`rolling up: ${done} of ${total} quarters`),
  });
  const roll = { name: ROLLED_UP, count: loaded, seconds: rolling() };
  progress.say(`${rateText(roll)} in ${quarters} quarters of users`);

  progress.show("making the original's tables");
  const { current, previous } = wholeDays(now, 30);
  await createOriginalTables(pool, previous.from, current.to);
  progress.show("vacuum analyze");
  await pool.query("vacuum analyze");
  return [load, roll, { name: "quarters rolled up", count: quarters, seconds: roll.seconds }];

  async function count(sql: string): Promise<number> {
    const { rows } = await pool.query<{ count: string }>(sql);
    return Number(rows[0]!.count);
  }
}
