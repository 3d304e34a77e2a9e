import { type Database, rollUp } from "@usage-stats/db";
import { Presets, SingleBar } from "cli-progress";

/** Rolls up everything that waits, with a bar on a terminal; Ctrl-C ends it after the batch under way. Gives how many quarters. */
export async function rollUpWithProgress(orm: Database): Promise<number> {
  const stop = new AbortController();
  process.once("SIGINT", () => stop.abort());
  const bar = new SingleBar(
    {
      format: "rolling up {bar} {percentage}% | {value} of {total} quarters | {eta_formatted} left",
      noTTYOutput: true,
      notTTYSchedule: 5000,
      stream: process.stderr,
    },
    Presets.shades_classic,
  );
  let started = false;
  try {
    return await rollUp(orm, {
      signal: stop.signal,
      onProgress(done, total) {
        if (!started) bar.start(total, 0);
        started = true;
        bar.setTotal(total);
        bar.update(done);
      },
    });
  } finally {
    if (started) bar.stop();
  }
}
