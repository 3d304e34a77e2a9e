import { expect, it, vi } from "vitest";
import { type CacheEvent } from "../src/cache-events.ts";
import { EVERYTHING, generationKey } from "../src/cache-key.ts";
import { unguarded } from "../src/guard.ts";
import { createInProcessStore } from "../src/in-process-store.ts";
import { createInvalidations } from "../src/invalidations.ts";

const ALICE = generationKey("did:abt:z1alice");
const BOB = generationKey("did:abt:z1bob");

/** Invalidations over a store that can be made to fail, and to lose what is written. */
function setUp({ giveUpMs = 60_000, retryMs = 10 } = {}) {
  const store = createInProcessStore({ maxBytes: 10_000_000 });
  const state = { fails: false, loses: false, writes: 0 };
  const events: CacheEvent[] = [];
  const invalidations = createInvalidations({
    store: {
      ...store,
      async replace(entries, ttlMs) {
        state.writes += 1;
        if (state.fails) throw new Error("no connection");
        if (!state.loses) return store.replace(entries, ttlMs);
        const values = await store.read(entries.map(([key]) => key));
        return { before: values, after: values };
      },
    },
    guard: unguarded,
    deadlineMs: 1_000,
    retryMs,
    giveUpMs,
    onEvent: (event) => events.push(event),
  });
  return { store, state, events, invalidations };
}

it("writes a new generation each time, before it resolves", async () => {
  const { store, invalidations } = setUp();
  const seen = new Set<unknown>();
  for (let i = 0; i < 5; i++) {
    await invalidations.add([ALICE]);
    expect(invalidations.undelivered([ALICE])).toBe(false);
    seen.add((await store.read([ALICE]))[0]);
  }
  expect(seen.size).toBe(5);
});

it.each(["fails", "loses"] as const)(
  "trusts nothing of a user while the store %s, and goes on until it is told",
  async (fault) => {
    const { store, state, events, invalidations } = setUp();
    await invalidations.add([ALICE]);
    events.length = 0;
    state[fault] = true;
    await invalidations.add([ALICE]);
    expect([invalidations.undelivered([ALICE]), invalidations.undelivered([BOB])]).toEqual([true, false]);
    await expect.poll(() => state.writes).toBeGreaterThan(3);
    expect(invalidations.undelivered([ALICE])).toBe(true);
    state[fault] = false;
    await expect.poll(() => invalidations.undelivered([ALICE])).toBe(false);
    expect(await store.read([ALICE])).toEqual([expect.any(String)]);
    expect(events.at(0)).toEqual({ type: "invalidation", outcome: "deferred", count: 1 });
    expect(events.at(-1)).toEqual({ type: "invalidation", outcome: "delivered", count: 1 });
  },
);

it("delivers what is added while another delivery is under way", async () => {
  const { store, invalidations } = setUp();
  const first = invalidations.add([ALICE]);
  const second = invalidations.add([BOB]);
  await second;
  expect(await store.read([ALICE, BOB])).toEqual([expect.any(String), expect.any(String)]);
  await first;
  await invalidations.add([ALICE]);
  expect(invalidations.undelivered([ALICE, BOB])).toBe(false);
});

it("gives up once everything kept before has expired", async () => {
  const { state, events, invalidations } = setUp({ giveUpMs: 50 });
  state.fails = true;
  await invalidations.add([ALICE]);
  await expect.poll(() => invalidations.undelivered([ALICE])).toBe(false);
  expect(events).toContainEqual({ type: "invalidation", outcome: "abandoned", count: 1 });
  const { writes } = state;
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(state.writes).toBe(writes);
});

it("takes everything as changed rather than remember more than it can", async () => {
  const { store, state, invalidations } = setUp();
  state.fails = true;
  await invalidations.add(Array.from({ length: 10_001 }, (_, i) => generationKey(`user ${i}`)));
  expect(invalidations.undelivered([EVERYTHING])).toBe(true);
  state.fails = false;
  await expect.poll(() => invalidations.undelivered([EVERYTHING])).toBe(false);
  expect(await store.read([EVERYTHING])).toEqual([expect.any(String)]);
});

it("tells of thousands in several requests", async () => {
  const { state, store, invalidations } = setUp();
  const keys = Array.from({ length: 2_500 }, (_, i) => generationKey(`user ${i}`));
  await invalidations.add(keys);
  expect(state.writes).toBe(3);
  expect((await store.read(keys)).every((value) => typeof value === "string")).toBe(true);
});

it("tries once more when it closes, and not after that", async () => {
  const { state, invalidations } = setUp({ retryMs: 20 });
  state.fails = true;
  await invalidations.add([ALICE]);
  await invalidations.close();
  const { writes } = state;
  expect(writes).toBe(2);
  await vi.waitUntil(async () => new Promise((resolve) => setTimeout(() => resolve(true), 60)));
  expect(state.writes).toBe(writes);
});
