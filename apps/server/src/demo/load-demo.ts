import { type Database, recordAllCalls } from "@usage-stats/db";
import { DEMO_CALLS, demoCalls } from "./demo-calls.ts";

/**
 * Fills a database with the demo, all of it or, if the process ends before, nothing. Tells after every batch how many
 * calls are written, of how many; what `onProgress` throws undoes all.
 */
export async function loadDemo(
  orm: Database,
  now: Date,
  onProgress: (loaded: number, total: number) => void,
): Promise<void> {
  await recordAllCalls(orm, demoCalls({ now, calls: DEMO_CALLS }), (loaded) =>
    onProgress(loaded, DEMO_CALLS),
  );
}
