import { type Clock } from "@usage-stats/core";
import { type Database, ensurePartitionsAhead } from "@usage-stats/db";

const HOUR_MS = 3_600_000;

/** Goes on making the next months' partitions, for writers other than this server; gives what ends it. */
export function keepPartitionsAhead(
  orm: Database,
  clock: Clock,
  onError: (error: unknown) => void,
): () => Promise<void> {
  let last = Promise.resolve();
  const timer = setInterval(() => {
    last = ensurePartitionsAhead(orm, clock.now()).catch(onError);
  }, HOUR_MS);
  return async () => {
    clearInterval(timer);
    await last;
  };
}
