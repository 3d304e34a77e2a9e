export type { CacheEvent, CacheOutcome, OnCacheEvent } from "./cache-events.ts";
export type { CacheItem, CacheStore } from "./cache-store.ts";
export { createCircuitBreaker, type BreakerState } from "./circuit-breaker.ts";
export { compress, digestOf, WORTH_COMPRESSING_BYTES } from "./compress.ts";
export {
  createInProcessCache,
  createRemoteCache,
  createUpstashCache,
  type CacheSettings,
  type RemoteCacheSettings,
} from "./create-caches.ts";
export { type JoinedPayload, joinPayloads } from "./joined-payload.ts";
export type { CacheReport, RequestCache, SharedCache } from "./result-cache.ts";
export { invalidatingRebuilder, invalidatingWriter } from "./invalidating-ports.ts";
export { StoreFailure, storeFailureOf, type StoreFailureKind } from "./store-failure.ts";
export { createUpstashClient, type UpstashSettings } from "./upstash-store.ts";
