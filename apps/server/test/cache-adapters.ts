import {
  createInProcessCache,
  createUpstashCache,
  type OnCacheEvent,
  type SharedCache,
} from "@usage-stats/cache";
import { type Clock } from "@usage-stats/core";
import { startLocalUpstash } from "@usage-stats/dev-services/upstash";
import { describeWithRedis } from "@usage-stats/dev-services/testing";
import { describe } from "vitest";

/** Where the caches of two servers keep their answers. */
export type CacheAdapter = {
  /** A server's cache. */
  cache(clock: Clock, onEvent?: OnCacheEvent, hears?: () => boolean): SharedCache;
  close(): Promise<void>;
};

type Named = { name: string; over: "process" | "memory" | "redis" };

const ADAPTERS: Named[] = [
  { name: "kept in the process", over: "process" },
  { name: "kept in Upstash", over: "memory" },
  { name: "kept in Upstash, on a real Redis", over: "redis" },
];

async function open({ over }: Named): Promise<CacheAdapter> {
  if (over === "process") {
    return {
      cache: (clock, onEvent = () => {}, hears = () => true) =>
        createInProcessCache({ clock, ttlMs: 60_000, maxBytes: 50_000_000, onEvent, hears }),
      close: async () => {},
    };
  }
  const { url, token, close } = await startLocalUpstash(over);
  return {
    cache: (clock, onEvent = () => {}, hears = () => true) =>
      createUpstashCache({ url, token, clock, ttlMs: 60_000, deadlineMs: 2_000, onEvent, hears }),
    close,
  };
}

/** The same tests over every adapter; over a real Redis only where there is one, which the report shows. */
export function describeCaches(tests: (open: () => Promise<CacheAdapter>) => void): void {
  describeEach(ADAPTERS, tests);
}

/** The same tests over every adapter that several servers share. */
export function describeSharedCaches(tests: (open: () => Promise<CacheAdapter>) => void): void {
  describeEach(
    ADAPTERS.filter(({ over }) => over !== "process"),
    tests,
  );
}

function describeEach(adapters: Named[], tests: (open: () => Promise<CacheAdapter>) => void): void {
  for (const adapter of adapters) {
    const describeIt = adapter.over === "redis" ? describeWithRedis : describe;
    describeIt(adapter.name, () => {
      tests(() => open(adapter));
    });
  }
}
