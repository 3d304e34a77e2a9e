import { type Clock } from "@usage-stats/core";
import { type Settings } from "../settings/settings.ts";
import { createInProcessLimiter } from "../limits/in-process-limiter.ts";
import { createRateLimits, type RateLimits } from "../limits/rate-limits.ts";
import { createUpstashLimiter } from "../limits/upstash-limiter.ts";

const QUIET_MS = 60_000;

/** The limits that the settings ask for: counted in Upstash where that is set, for all servers together; `null` for none. */
export function openRateLimits(
  { rateLimits, cache }: Settings,
  clock: Clock,
  { metrics, log }: { metrics: { onRateLimitFailure(): void }; log(text: string): void },
): RateLimits | null {
  if (rateLimits === null) return null;
  let loggedAt = Number.NEGATIVE_INFINITY;
  const local = createInProcessLimiter();
  const shared =
    cache.kind === "upstash"
      ? createUpstashLimiter({
          ...cache,
          clock,
          onFailure({ message }) {
            metrics.onRateLimitFailure();
            if (performance.now() - loggedAt < QUIET_MS) return;
            loggedAt = performance.now();
            log(`rate limits: Upstash failed, counting in this process: ${message}`);
          },
        })
      : local;
  return createRateLimits(rateLimits, { shared, local, monotonic: () => performance.now() });
}
