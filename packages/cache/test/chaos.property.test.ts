import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { expect, it } from "vitest";
import { type CacheItem, type CacheStore } from "../src/cache-store.ts";
import { createRemoteCache } from "../src/create-caches.ts";
import { createInProcessStore } from "../src/in-process-store.ts";
import { clock } from "./stores.ts";
import { createVersionedCalls } from "./versioned-calls.ts";

const DEADLINE_MS = 15;
// What a busy machine may add to any of it.
const SLACK_MS = 250;
const USERS = ["alice", "bob"];
const MOODS = [
  "well",
  "throws",
  "hangs",
  "is slow",
  "answers rubbish",
  "loses writes",
  "mixes up keys",
] as const;
type Mood = (typeof MOODS)[number];

/** A store in changing moods. */
function createChaosStore(moodNow: () => Mood): CacheStore {
  const store = createInProcessStore({ maxBytes: 1_000_000 });
  async function chaos<T>(
    run: () => Promise<T>,
    rubbish: unknown,
    mixedUp: () => Promise<T>,
    writes: boolean,
  ): Promise<T> {
    const mood = moodNow();
    if (mood === "throws") throw new Error("chaos");
    if (mood === "hangs") return new Promise<T>(() => {});
    if (mood === "is slow") await sleep(2 * DEADLINE_MS);
    if (mood === "answers rubbish") return rubbish as T;
    if (mood === "mixes up keys") return mixedUp();
    if (mood === "loses writes" && writes) return undefined as T;
    return run();
  }
  return {
    read: (keys) =>
      chaos(
        async () => store.read(keys),
        [{}, 7, "?"],
        async () => (await store.read(keys)).toReversed(),
        false,
      ),
    ensure: (entries, ttlMs) =>
      chaos(
        () => store.ensure(entries, ttlMs),
        "rubbish",
        async () => (await store.ensure(entries, ttlMs)).toReversed(),
        true,
      ),
    replace: (entries, ttlMs) =>
      chaos(
        () => store.replace(entries, ttlMs),
        { before: "rubbish", after: [{}, 7, "?"] },
        () => store.replace(swapped(entries), ttlMs),
        true,
      ),
    write: (entries, ttlMs) =>
      chaos(
        () => store.write(entries, ttlMs),
        undefined,
        () => store.write(swapped(entries), ttlMs),
        true,
      ),
  };
}

function swapped(entries: readonly CacheItem[]): CacheItem[] {
  return entries.map(([, value], i) => [entries[(i + 1) % entries.length]![0], value]);
}

const steps = fc.array(
  fc.record({
    mood: fc.oneof({ weight: 2, arbitrary: fc.constant<Mood>("well") }, fc.constantFrom(...MOODS)),
    server: fc.nat({ max: 1 }),
    user: fc.constantFrom(...USERS),
    change: fc.nat({ max: 3 }).map((number) => number === 0),
  }),
  { minLength: 20, maxLength: 40 },
);

it("answers right and in time, whatever the store does", async () => {
  let hits = 0;
  await fc.assert(
    fc.asyncProperty(steps, async (all) => {
      let mood: Mood = "well";
      const store = createChaosStore(() => mood);
      const settings = {
        clock,
        ttlMs: 60_000,
        deadlineMs: DEADLINE_MS,
        retryMs: 5,
        breaker: { failures: 4, openMs: 10 },
      };
      const servers = [createRemoteCache(store, settings), createRemoteCache(store, settings)];
      const calls = createVersionedCalls(servers);
      for (const step of all) {
        mood = step.mood;
        if (step.change) await calls.change(step.user);
        const { hit, durationMs } = await calls.ask(servers[step.server]!, step.user);
        if (hit) hits += 1;
        expect(durationMs).toBeLessThan(DEADLINE_MS + SLACK_MS);
      }
      mood = "well";
      await Promise.all(servers.map((server) => server.close()));
    }),
    { numRuns: 60 },
  );
  expect(hits).toBeGreaterThan(50);
}, 120_000);
