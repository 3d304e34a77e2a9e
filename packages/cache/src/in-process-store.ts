import { LRUCache } from "lru-cache";
import { type CacheStore } from "./cache-store.ts";

/** Keeps texts in this process, the least recently used going first once they take more than `maxBytes`. */
export function createInProcessStore({ maxBytes }: { maxBytes: number }): CacheStore {
  const kept = new LRUCache<string, string>({
    maxSize: maxBytes,
    // A JavaScript string takes at most two bytes a unit; its entry here some 200 more.
    sizeCalculation: (value, key) => 2 * (value.length + key.length) + 200,
  });
  return {
    async read(keys) {
      return keys.map((key) => kept.get(key) ?? null);
    },
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
