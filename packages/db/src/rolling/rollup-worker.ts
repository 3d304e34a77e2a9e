import { type Database } from "../database.ts";
import { pause } from "./pause.ts";
import { rollUp } from "./roll-up.ts";
import { nothingSetAside } from "./set-aside.ts";

export type RollupWorkerOptions = {
  /** How long to wait to be woken before looking anyway, in milliseconds: each quarter that ends becomes due by itself. */
  pollMs?: number;
  batchSize?: number;
  /** How many shards are rolled up at the same time. */
  rollers?: number;
  /** Told of every failure; the worker goes on. */
  onError(error: unknown): void;
};

export type RollupWorker = {
  /** There is something to roll up. */
  wake(): void;
  stop(): Promise<void>;
};

// Many changes one after the other are cheaper to roll up together.
const REST_MS = 1_000;

// Each time, all calls of the quarter under way are read that are of users who had another one: a tenth of the time at the most.
const RESTS_AN_OPEN = 10;

// What cannot be rolled up is tried again, and told of again, this often: somebody may have mended it.
const SET_ASIDE_FOR_MS = 600_000;

/** Rolls up in the background whatever the change log names, when woken and from time to time. Any number may run. */
export function startRollupWorker(
  orm: Database,
  { pollMs = 15_000, onError, ...options }: RollupWorkerOptions,
): RollupWorker {
  const stop = new AbortController();
  let wake = () => {};

  async function work(): Promise<void> {
    let setAside = nothingSetAside();
    let since = performance.now();
    let nextOpen = 0;
    while (!stop.signal.aborted) {
      if (performance.now() - since > SET_ASIDE_FOR_MS) {
        setAside = nothingSetAside();
        since = performance.now();
      }
      const woken = new Promise<void>((resolve) => (wake = resolve));
      const began = performance.now();
      const includesOpen = began >= nextOpen;
      await rollUp(orm, { ...options, includesOpen, setAside, signal: stop.signal }).catch(onError);
      const ended = performance.now();
      if (includesOpen) nextOpen = ended + RESTS_AN_OPEN * (ended - began);
      await pause(REST_MS, stop.signal);
      const timer = new AbortController();
      await Promise.race([woken, pause(pollMs - REST_MS, AbortSignal.any([stop.signal, timer.signal]))]);
      timer.abort();
    }
  }

  const working = work();
  return {
    wake: () => wake(),
    async stop() {
      stop.abort();
      await working;
    },
  };
}
