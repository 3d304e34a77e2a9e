import { LRUCache } from "lru-cache";
import { payloadSize } from "./compress.ts";
import { type CacheStore } from "./cache-store.ts";
import { type CacheValue } from "./text-envelope.ts";

/** Keeps texts in this process, the least recently used going first once they take more than `maxBytes`. */
export function createInProcessStore({ maxBytes }: { maxBytes: number }): CacheStore {
  const kept = new LRUCache<string, CacheValue>({ maxSize: maxBytes, sizeCalculation: sizeOf });
  return {
    read: (keys) => keys.map((key) => kept.get(key) ?? null),
    async ensure(entries, ttlMs) {
      for (const [key, value] of entries) if (!kept.has(key)) kept.set(key, value, { ttl: ttlMs });
      return entries.map(([key]) => kept.get(key) ?? null);
    },
    async replace(entries, ttlMs) {
      const values = () => entries.map(([key]) => kept.get(key) ?? null);
      const before = values();
      for (const [key, value] of entries) kept.set(key, value, { ttl: ttlMs });
      return { before, after: values() };
    },
    async write(entries, ttlMs) {
      for (const [key, value] of entries) kept.set(key, value, { ttl: ttlMs });
    },
  };
}

/** In bytes, roughly: JavaScript's strings take at most two a unit, an entry here some 200 more. */
function sizeOf(value: CacheValue, key: string): number {
  const own = typeof value === "string" ? 2 * value.length : payloadSize(value.payload);
  return own + 2 * key.length + 200;
}
