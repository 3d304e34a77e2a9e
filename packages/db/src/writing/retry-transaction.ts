import { setTimeout as sleep } from "node:timers/promises";

const TRIES = 4;
const LONGEST_PAUSE_MS = 100;

// What may go well if it is done again: serialization failures, deadlocks, a server that restarts, a connection that was lost.
// https://www.postgresql.org/docs/current/errcodes-appendix.html
const TRANSIENT = /^(40001|40P01|57P0[123]|08)/;

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

function isTransient(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if ("code" in error && TRANSIENT.test(String(error.code))) return true;
  if (/connection terminated|ECONNRESET|EPIPE/i.test(error.message)) return true;
  return error.cause !== undefined && error.cause !== error && isTransient(error.cause);
}
