import { type OnCacheEvent } from "./cache-events.ts";
import { type CircuitBreaker } from "./circuit-breaker.ts";
import { StoreFailure, storeFailureOf } from "./store-failure.ts";

/** Runs an operation of the store, or throws within a time. `until` is in the milliseconds of `performance.now()`. */
export type Guard = <T>(operation: string, until: number, run: () => T | Promise<T>) => T | Promise<T>;

/** For a store that can neither hang nor fail. */
export const unguarded: Guard = (_, __, run) => run();

/** Gives every operation a deadline, counts its failures, and asks nothing while the breaker is open. */
export function createGuard(breaker: CircuitBreaker, onEvent: OnCacheEvent): Guard {
  return async (operation, until, run) => {
    const left = until - performance.now();
    if (left <= 0) throw new Error("no time is left");
    if (!breaker.allows()) throw new Error("the circuit breaker is open");
    try {
      const result = await within(left, Promise.resolve(run()));
      breaker.succeeded();
      return result;
    } catch (error) {
      breaker.failed();
      const failure = storeFailureOf(error);
      onEvent({ type: "failure", operation, failure });
      throw failure;
    }
  };
}

function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new StoreFailure("timeout", `no answer within ${Math.round(ms)} ms`)),
      ms,
    );
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
