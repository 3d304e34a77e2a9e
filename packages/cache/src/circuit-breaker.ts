export type BreakerState = "closed" | "open" | "half-open";

export type BreakerSettings = {
  /** How many failures in a row open it. */
  failures: number;
  /** How long it stays open before one attempt is let through. */
  openMs: number;
  /** A clock that only goes forward, in milliseconds. */
  monotonic: () => number;
  onChange(state: BreakerState): void;
};

export type CircuitBreaker = {
  /** Whether to try. After `true` the caller must report `succeeded` or `failed`. */
  allows(): boolean;
  succeeded(): void;
  failed(): void;
};

/**
 * Keeps a service that fails from being asked again and again: after some failures in a row it is left alone for a while, then
 * asked once, and again by everyone if that went well. https://martinfowler.com/bliki/CircuitBreaker.html
 */
export function createCircuitBreaker(settings: BreakerSettings): CircuitBreaker {
  let state: BreakerState = "closed";
  let failures = 0;
  let openedAt = 0;

  function become(next: BreakerState): void {
    if (next === "open") openedAt = settings.monotonic();
    if (next === state) return;
    state = next;
    settings.onChange(next);
  }

  return {
    allows() {
      if (state === "closed") return true;
      if (state === "half-open" || settings.monotonic() - openedAt < settings.openMs) return false;
      become("half-open");
      return true;
    },
    succeeded() {
      failures = 0;
      become("closed");
    },
    failed() {
      failures += 1;
      if (state === "half-open" || failures >= settings.failures) become("open");
    },
  };
}
