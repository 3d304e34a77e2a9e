import { setTimeout as sleep } from "node:timers/promises";
import { isTransient } from "../connection/sqlstate.ts";

const TRIES = 4;
const LONGEST_PAUSE_MS = 100;

/** Runs a transaction that may be run twice, again where it failed for a reason that passes: at most four times in all, with pauses by chance. */
export async function retryTransaction<T>(run: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await run();
    } catch (error) {
      if (tries === TRIES || !isTransient(error)) throw error;
      await sleep(Math.random() * LONGEST_PAUSE_MS * tries);
    }
  }
}
