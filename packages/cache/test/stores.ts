import { type Clock } from "@usage-stats/core";
import {
  createMemoryRunner,
  createRedisRunner,
  findRedisServer,
  startRedisServer,
  startUpstashBridge,
} from "@usage-stats/upstash-bridge";
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
    tests(upstash(async () => ({ runner: createMemoryRunner(), stop: async () => {} })));
  });
  describeWithRedis("in Upstash, over a real Redis", () => {
    tests(
      upstash(async () => {
        const server = await startRedisServer();
        return { runner: await createRedisRunner(server.url), stop: server.stop };
      }),
    );
  });
}

/** Tests that need a redis-server. Where there is none they are skipped, and say why. */
export function describeWithRedis(name: string, tests: () => void): void {
  const missing = findRedisServer() === null;
  describe.skipIf(missing)(`${name}${missing ? " (skipped: no redis-server on the PATH)" : ""}`, () => {
    tests();
  });
}

type Opened = { runner: ReturnType<typeof createMemoryRunner>; stop(): Promise<void> };

function upstash(open: () => Promise<Opened>): () => Adapter {
  let opened: Opened;
  let bridge: Awaited<ReturnType<typeof startUpstashBridge>>;
  let adapter: Adapter;
  beforeAll(async () => {
    opened = await open();
    bridge = await startUpstashBridge({ runner: opened.runner });
    const store = createUpstashStore({ url: bridge.url, token: bridge.token, deadlineMs: DEADLINE_MS });
    adapter = {
      store,
      cache: (settings) =>
        createRemoteCache(store, { clock, ttlMs: 60_000, deadlineMs: DEADLINE_MS, ...settings }),
    };
  });
  beforeEach(async () => {
    await opened.runner.run(["FLUSHALL"]);
  });
  afterAll(async () => {
    await bridge.close();
    await opened.runner.close();
    await opened.stop();
  });
  return () => adapter;
}
