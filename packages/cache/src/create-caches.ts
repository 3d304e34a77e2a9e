import { type Clock } from "@usage-stats/core";
import { type OnCacheEvent } from "./cache-events.ts";
import { createCircuitBreaker } from "./circuit-breaker.ts";
import { plainEnvelopes, textEnvelopes } from "./envelope.ts";
import { createGuard, unguarded } from "./guard.ts";
import { createInProcessStore } from "./in-process-store.ts";
import { type CacheStore } from "./cache-store.ts";
import { createResultCache, type SharedCache } from "./result-cache.ts";
import { createUpstashStore } from "./upstash-store.ts";

export type CacheSettings = {
  clock: Clock;
  ttlMs: number;
  /** Whether changes are heard of that others make; nothing kept is given out, and nothing is kept, while they are not. */
  hears?: () => boolean;
  onEvent?: OnCacheEvent;
};

/** A cache of this process alone, of at most `maxBytes`. */
export function createInProcessCache({
  maxBytes,
  ...settings
}: CacheSettings & { maxBytes: number }): SharedCache {
  return createResultCache({
    ...settings,
    store: createInProcessStore({ maxBytes }),
    guard: unguarded,
    deadlineMs: Number.POSITIVE_INFINITY,
    codings: ["br", "gzip"],
    keepsAtOnce: true,
    format: plainEnvelopes({ maxBytes: maxBytes / 16 }),
  });
}

export type RemoteCacheSettings = CacheSettings & {
  /** How long the store may keep a request waiting. */
  deadlineMs: number;
  retryMs?: number;
  breaker?: { failures: number; openMs: number };
};

/** A cache that all servers with the same Upstash Redis share. */
export function createUpstashCache({
  url,
  token,
  ...settings
}: RemoteCacheSettings & { url: string; token: string }): SharedCache {
  return createRemoteCache(createUpstashStore({ url, token, deadlineMs: settings.deadlineMs }), settings);
}

/** A cache over a store that may hang and fail: with a deadline for every operation, and a circuit breaker. */
export function createRemoteCache(
  store: CacheStore,
  { breaker, ...settings }: RemoteCacheSettings,
): SharedCache {
  const onEvent = settings.onEvent ?? (() => {});
  const circuit = createCircuitBreaker({
    failures: 5,
    openMs: 5_000,
    ...breaker,
    monotonic: () => performance.now(),
    onChange: (state) => onEvent({ type: "breaker", state }),
  });
  return createResultCache({
    ...settings,
    store,
    guard: createGuard(circuit, onEvent),
    // One that everybody takes: each copy is paid for with every answer that is read.
    codings: ["gzip"],
    keepsAtOnce: false,
    format: textEnvelopes({ packOver: 64_000, maxLength: 1_000_000 }),
  });
}
