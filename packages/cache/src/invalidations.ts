import { type OnCacheEvent } from "./cache-events.ts";
import { EVERYTHING } from "./cache-key.ts";
import { type CacheStore } from "./cache-store.ts";
import { GENERATION_MS, isGeneration, newGeneration } from "./generation.ts";
import { type Guard } from "./guard.ts";

export type InvalidationSettings = {
  store: CacheStore;
  guard: Guard;
  /** How long one attempt may take. */
  deadlineMs: number;
  retryMs: number;
  /** How long it is tried: longer than anything that was kept before lives. */
  giveUpMs: number;
  onEvent: OnCacheEvent;
};

export type Invalidations = {
  /** Gives generations new values. Resolves when all are told, or the first attempt failed: it goes on by itself then. */
  add(generations: readonly string[]): Promise<void>;
  /** Whether one of them changed and the store does not know it yet: what it has of them is not to be trusted. */
  undelivered(generations: readonly string[]): boolean;
  close(): Promise<void>;
};

const MOST_AT_ONCE = 1_000;
const MOST_PENDING = 10_000;

/** Delivers new generations to the store, as often as it takes. */
export function createInvalidations(settings: InvalidationSettings): Invalidations {
  const { store, guard, onEvent } = settings;
  const pending = new Map<string, { since: number; turn: number }>();
  let turn = 0;
  let running: Promise<void> = Promise.resolve();
  let next: Promise<void> | null = null;
  let timer: NodeJS.Timeout | undefined;

  function enqueue(generations: readonly string[]): void {
    turn += 1;
    for (const key of generations) pending.set(key, { turn, since: performance.now() });
    if (pending.size <= MOST_PENDING) return;
    pending.clear();
    pending.set(EVERYTHING, { turn, since: performance.now() });
  }

  /** One attempt that begins after the one under way: what was queued meanwhile is in it. */
  function deliver(): Promise<void> {
    next ??= running.then(() => {
      next = null;
      running = attempt();
      return running;
    });
    return next;
  }

  async function attempt(): Promise<void> {
    clearTimeout(timer);
    giveUpOld();
    const queued = [...pending];
    for (let start = 0; start < queued.length; start += MOST_AT_ONCE) {
      const some = queued.slice(start, start + MOST_AT_ONCE);
      if (!(await tell(some.map(([key]) => newGeneration(key))))) break;
      for (const [key, renewal] of some) {
        // One that changed again meanwhile may have been told too early.
        if (pending.get(key)?.turn === renewal.turn) pending.delete(key);
      }
    }
    if (pending.size > 0) timer = setTimeout(() => void deliver(), settings.retryMs).unref();
  }

  async function tell(fresh: (readonly [string, string])[]): Promise<boolean> {
    const until = performance.now() + settings.deadlineMs;
    let delivered = false;
    try {
      const { before, after } = await guard("replace", until, () => store.replace(fresh, GENERATION_MS));
      // Another server's is as good: all that counts is that nobody could see it before this was told.
      delivered = fresh.every(([key], i) => isGeneration(key, after[i]) && after[i] !== before[i]);
    } catch {
      // The guard has told of it.
    }
    onEvent({ type: "invalidation", outcome: delivered ? "delivered" : "deferred", count: fresh.length });
    return delivered;
  }

  function giveUpOld(): void {
    const old = [...pending].filter(([, { since }]) => performance.now() - since > settings.giveUpMs);
    for (const [key] of old) pending.delete(key);
    if (old.length > 0) onEvent({ type: "invalidation", outcome: "abandoned", count: old.length });
  }

  return {
    add(generations) {
      enqueue(generations);
      return deliver();
    },
    undelivered: (generations) => pending.size > 0 && generations.some((key) => pending.has(key)),
    async close() {
      if (pending.size > 0) await deliver();
      clearTimeout(timer);
    },
  };
}
