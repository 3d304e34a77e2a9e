import {
  createInProcessCache,
  createUpstashCache,
  type OnCacheEvent,
  type SharedCache,
} from "@usage-stats/cache";
import { type Clock } from "@usage-stats/core";
import {
  type CommandRunner,
  createMemoryRunner,
  createRedisRunner,
  findRedisServer,
  startRedisServer,
  startUpstashBridge,
} from "@usage-stats/upstash-bridge";
import { describe } from "vitest";

/** Where the caches of two servers keep their answers. */
export type CacheAdapter = {
  /** A server's cache. */
  cache(clock: Clock, onEvent?: OnCacheEvent): SharedCache;
  close(): Promise<void>;
};

type Named = { name: string; shared: boolean; open: () => Promise<CacheAdapter> };

const ADAPTERS: Named[] = [
  {
    name: "kept in the process",
    shared: false,
    open: async () => ({
      cache: (clock, onEvent = () => {}) =>
        createInProcessCache({ clock, ttlMs: 60_000, maxBytes: 50_000_000, onEvent }),
      close: async () => {},
    }),
  },
  { name: "kept in Upstash", shared: true, open: () => openUpstash(createMemoryRunner(), async () => {}) },
  {
    name: "kept in Upstash, on a real Redis",
    shared: true,
    async open() {
      const redis = await startRedisServer();
      return openUpstash(await createRedisRunner(redis.url), redis.stop);
    },
  },
];

async function openUpstash(runner: CommandRunner, stop: () => Promise<void>): Promise<CacheAdapter> {
  const { url, token, close } = await startUpstashBridge({ runner });
  return {
    cache: (clock, onEvent = () => {}) =>
      createUpstashCache({ url, token, clock, ttlMs: 60_000, deadlineMs: 2_000, onEvent }),
    async close() {
      await close();
      await runner.close();
      await stop();
    },
  };
}

/** The same tests over every adapter; over a real Redis only where there is one, which the report shows. */
export function describeCaches(tests: (open: () => Promise<CacheAdapter>) => void): void {
  describeEach(ADAPTERS, tests);
}

/** The same tests over every adapter that several servers share. */
export function describeSharedCaches(tests: (open: () => Promise<CacheAdapter>) => void): void {
  describeEach(
    ADAPTERS.filter(({ shared }) => shared),
    tests,
  );
}

function describeEach(adapters: Named[], tests: (open: () => Promise<CacheAdapter>) => void): void {
  for (const { name, open } of adapters) {
    const missing = name.endsWith("real Redis") && findRedisServer() === null;
    describe.skipIf(missing)(`${name}${missing ? " (skipped: no redis-server on the PATH)" : ""}`, () => {
      tests(open);
    });
  }
}
