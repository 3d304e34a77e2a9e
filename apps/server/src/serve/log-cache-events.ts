import { type CacheEvent, type OnCacheEvent } from "@usage-stats/cache";

const QUIET_MS = 60_000;

/** Logs what an operator should know of: changes of the breaker, and a failure at most once a minute. */
export function logCacheEvents(log: (text: string) => void): OnCacheEvent {
  const last = new Map<CacheEvent["type"], number>();

  function sometimes(type: CacheEvent["type"], text: string): void {
    const now = performance.now();
    if (now - (last.get(type) ?? Number.NEGATIVE_INFINITY) < QUIET_MS) return;
    last.set(type, now);
    log(text);
  }

  return (event) => {
    switch (event.type) {
      case "breaker":
        return log(`cache: the circuit breaker is ${event.state}`);
      case "failure":
        return sometimes(
          event.type,
          `cache: ${event.operation} failed, answering without it: ${event.failure.message}`,
        );
      case "unreadable":
        return sometimes(event.type, `cache: replaced a value that is ${event.why}`);
      case "too_large":
        return sometimes(event.type, `cache: an answer of ${event.bytes} bytes is too large to be kept`);
      case "lookup":
      case "invalidation":
    }
  };
}
