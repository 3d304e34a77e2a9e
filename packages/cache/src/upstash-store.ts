import { Redis } from "@upstash/redis";
import { type CacheItem, type CacheStore } from "./cache-store.ts";
import { StoreFailure, storeFailureOf } from "./store-failure.ts";
import { ENSURE, READ, REPLACE } from "./upstash-scripts.ts";

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

/** Keeps texts in an Upstash Redis, over its REST API. What it throws is a `StoreFailure`. */
export function createUpstashStore(settings: UpstashSettings): CacheStore {
  const redis = createUpstashClient(settings);

  async function run<T>(command: () => Promise<T>): Promise<T> {
    try {
      return await command();
    } catch (error) {
      throw storeFailureOf(error);
    }
  }

  /** Plain EVAL, for EVALSHA would need a second round trip wherever the script is not known yet. */
  const evaluate = (script: string, keys: string[], args: (string | number)[]): Promise<unknown> =>
    run(() => redis.eval(script, keys, args));

  return {
    read: async (keys) => listOf(await evaluate(READ, [...keys], [])),
    ensure: async (entries, ttlMs) =>
      listOf(await evaluate(ENSURE, keysOf(entries), [ttlMs, ...valuesOf(entries)])),
    async replace(entries, ttlMs) {
      const [before, after] = listOf(await evaluate(REPLACE, keysOf(entries), [ttlMs, ...valuesOf(entries)]));
      return { before: listOf(before), after: listOf(after) };
    },
    async write(entries, ttlMs) {
      const pipeline = redis.pipeline();
      for (const [key, value] of entries) pipeline.set(key, value, { px: ttlMs });
      await run(() => pipeline.exec());
    },
  };
}

function keysOf(entries: readonly CacheItem[]): string[] {
  return entries.map(([key]) => key);
}

function valuesOf(entries: readonly CacheItem[]): string[] {
  return entries.map(([, value]) => {
    if (typeof value !== "string") throw new TypeError("Upstash keeps texts only");
    return value;
  });
}

function listOf(reply: unknown): unknown[] {
  if (!Array.isArray(reply)) throw new StoreFailure("unreadable", "the answer is no list");
  return reply;
}
