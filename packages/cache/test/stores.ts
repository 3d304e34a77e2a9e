import { type Clock } from "@usage-stats/core";
import { type LocalUpstash, startLocalUpstash } from "@usage-stats/dev-services/upstash";
import { describeWithRedis } from "@usage-stats/dev-services/testing";
import { afterAll, beforeAll, beforeEach, describe } from "vitest";
import { type CacheStore } from "../src/cache-store.ts";
import { createInProcessStore } from "../src/in-process-store.ts";
import { createInProcessCache, createRemoteCache } from "../src/create-caches.ts";
import { type OnCacheEvent } from "../src/cache-events.ts";
import { type SharedCache } from "../src/result-cache.ts";
import { createUpstashStore } from "../src/upstash-store.ts";

/** An adapter under test, empty before every test. */
export type Adapter = {
  store: CacheStore;
  /** A cache as one server has it; several share what the adapter shares. */
  cache(settings?: { ttlMs?: number; clock?: Clock; onEvent?: OnCacheEvent }): SharedCache;
};

export const clock = { now: () => new Date() };
const DEADLINE_MS = 2_000;

/** The same tests over every adapter. */
export function describeAdapters(tests: (adapter: () => Adapter) => void): void {
  describe("in this process", () => {
    let adapter: Adapter;
    beforeEach(() => {
      adapter = {
        store: createInProcessStore({ maxBytes: 64_000_000 }),
        cache: (settings) =>
          createInProcessCache({ clock, ttlMs: 60_000, maxBytes: 64_000_000, ...settings }),
      };
    });
    tests(() => adapter);
  });
  describeSharedAdapters(tests);
}

/** The same tests over every adapter that several servers share. */
export function describeSharedAdapters(tests: (adapter: () => Adapter) => void): void {
  describe("in Upstash, over the bridge's own store", () => {
    tests(upstash("memory"));
  });
  describeWithRedis("in Upstash, over a real Redis", () => {
    tests(upstash("redis"));
  });
}

function upstash(over: "memory" | "redis"): () => Adapter {
  let local: LocalUpstash;
  let adapter: Adapter;
  beforeAll(async () => {
    local = await startLocalUpstash(over);
    const store = createUpstashStore({ url: local.url, token: local.token, deadlineMs: DEADLINE_MS });
    adapter = {
      store,
      cache: (settings) =>
        createRemoteCache(store, { clock, ttlMs: 60_000, deadlineMs: DEADLINE_MS, ...settings }),
    };
  });
  beforeEach(async () => {
    await local.runner.run(["FLUSHALL"]);
  });
  afterAll(() => local.close());
  return () => adapter;
}
