import { type Database, rollUp } from "@usage-stats/db";
import { showProgressBar } from "../commands/progress-bar.ts";

/** Rolls up everything that waits, with a bar on a terminal; Ctrl-C ends it after the batch under way. Gives how many quarters. */
export async function rollUpWithProgress(orm: Database): Promise<number> {
  const stop = new AbortController();
  process.once("SIGINT", () => stop.abort());
  const bar = showProgressBar("rolling up", "quarters");
  try {
    return await rollUp(orm, { signal: stop.signal, onProgress: bar.update });
  } finally {
    bar.stop();
  }
}
