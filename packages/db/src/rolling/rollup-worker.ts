import { setTimeout as sleep } from "node:timers/promises";
import { type Database } from "../database.ts";
import { listenForChanges } from "./change-notifications.ts";
import { rollUp } from "./roll-up.ts";

export type RollupWorkerOptions = {
  /** For the connection that listens. */
  url: string;
  /** How long to wait for news before looking anyway, in milliseconds: each quarter that ends becomes due without any. */
  pollMs?: number;
  batchSize?: number;
  /** Told of every failure; the worker goes on. */
  onError(error: unknown): void;
};

export type RollupWorker = { stop(): Promise<void> };

/** Rolls up in the background whatever the change log names, woken by notifications with polling behind them. Any number may run. */
export function startRollupWorker(
  orm: Database,
  { url, pollMs = 15_000, batchSize, onError }: RollupWorkerOptions,
): RollupWorker {
  const stop = new AbortController();
  let wake = () => {};
  const notifications = listenForChanges(url, () => wake(), onError);

  async function work(): Promise<void> {
    while (!stop.signal.aborted) {
      const woken = new Promise<void>((resolve) => (wake = resolve));
      await rollUp(orm, { signal: stop.signal, ...(batchSize !== undefined && { batchSize }) }).catch(
        onError,
      );
      const timer = new AbortController();
      const waited = sleep(pollMs, undefined, { signal: AbortSignal.any([stop.signal, timer.signal]) }).catch(
        () => {},
      );
      await Promise.race([woken, waited]);
      timer.abort();
    }
  }

  const working = work();
  return {
    async stop() {
      stop.abort();
      await working;
      await notifications.close();
    },
  };
}
