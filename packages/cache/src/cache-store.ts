import { type CacheValue } from "./text-envelope.ts";

/**
 * Where texts are kept: a Redis, or this process. Four operations, each one round trip. Whatever comes back is checked by
 * whoever asked; an operation that fails throws anything.
 */
export type CacheStore = {
  /** The values of some keys, read at one moment; `null` where there is none. At once where nothing has to be waited for. */
  read(keys: readonly string[]): unknown[] | Promise<unknown[]>;
  /** Sets those that are absent, and gives the values that all have then. */
  ensure(entries: readonly CacheItem[], ttlMs: number): Promise<unknown[]>;
  /** Sets them whatever was there, and gives the values from before and from then on. */
  replace(entries: readonly CacheItem[], ttlMs: number): Promise<{ before: unknown[]; after: unknown[] }>;
  /** Sets them whatever was there. */
  write(entries: readonly CacheItem[], ttlMs: number): Promise<void>;
};

export type CacheItem = readonly [key: string, value: CacheValue];
