import { Redis } from "@upstash/redis";
import { type CacheItem, type CacheStore } from "./cache-store.ts";

export type UpstashSettings = {
  /** Such as `https://eu1-….upstash.io`. */
  url: string;
  token: string;
  /** Every request is given up after so long, its connection with it. */
  deadlineMs: number;
};

/** A client of an Upstash Redis that gives up in time and never asks twice. */
export function createUpstashClient({ url, token, deadlineMs }: UpstashSettings): Redis {
  return new Redis({
    url,
    token,
    retry: { retries: 0 },
    // A function, for a signal of its own each time: a plain signal ends a request as if it had answered "nothing" (1.39.0).
    signal: () => AbortSignal.timeout(deadlineMs),
    automaticDeserialization: false,
    enableAutoPipelining: false,
    enableTelemetry: false,
    responseEncoding: false,
  });
}

/** Keeps texts in an Upstash Redis, over its REST API. */
export function createUpstashStore(settings: UpstashSettings): CacheStore {
  const redis = createUpstashClient(settings);
  return {
    read: (keys) => redis.mget(...keys),
    async ensure(entries, ttlMs) {
      const pipeline = redis.pipeline();
      for (const [key, value] of entries) pipeline.set(key, value, { nx: true, px: ttlMs });
      pipeline.mget(...keysOf(entries));
      const replies: unknown[] = await pipeline.exec();
      return listOf(replies.at(-1));
    },
    async replace(entries, ttlMs) {
      const pipeline = redis.pipeline();
      pipeline.mget(...keysOf(entries));
      for (const [key, value] of entries) pipeline.set(key, value, { px: ttlMs });
      pipeline.mget(...keysOf(entries));
      const replies: unknown[] = await pipeline.exec();
      return { before: listOf(replies.at(0)), after: listOf(replies.at(-1)) };
    },
    async write(entries, ttlMs) {
      const pipeline = redis.pipeline();
      for (const [key, value] of entries) pipeline.set(key, value, { px: ttlMs });
      await pipeline.exec();
    },
  };
}

function keysOf(entries: readonly CacheItem[]): string[] {
  return entries.map(([key]) => key);
}

function listOf(reply: unknown): unknown[] {
  if (!Array.isArray(reply)) throw new Error("the cache's answer to MGET is no list");
  return reply;
}
