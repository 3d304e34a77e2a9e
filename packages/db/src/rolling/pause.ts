import { setTimeout as sleep } from "node:timers/promises";

/** Waits, or until the signal aborts, which is no failure. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return sleep(ms, undefined, { signal }).catch(() => {
    // It was cut short, as it may be.
  });
}
