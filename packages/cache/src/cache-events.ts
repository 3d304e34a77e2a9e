import { type BreakerState } from "./circuit-breaker.ts";
import { type StoreFailure } from "./store-failure.ts";

/** `hit`: given from the cache. `miss`: made, and kept. `bypass`: made because the cache could not be asked. */
export type CacheOutcome = "hit" | "miss" | "bypass";

/** What happens in the cache, for metrics and logs. */
export type CacheEvent =
  | { type: "lookup"; outcome: CacheOutcome; kind: string }
  /** An operation failed or took too long; whoever needed it went on without. */
  | { type: "failure"; operation: string; failure: StoreFailure }
  | { type: "breaker"; state: BreakerState }
  /** What was found was not what had been written. It is replaced. */
  | { type: "unreadable"; why: string }
  /** A text too large to be kept. */
  | { type: "too_large"; kind: string; bytes: number }
  /** `delivered`: everyone knows. `deferred`: is tried again. `abandoned`: by now everything kept before it has expired. */
  | { type: "invalidation"; outcome: "delivered" | "deferred" | "abandoned"; count: number };

export type OnCacheEvent = (event: CacheEvent) => void;
