import { createHash } from "node:crypto";
import { Ratelimit } from "@upstash/ratelimit";
import {
  createCircuitBreaker,
  createUpstashClient,
  StoreFailure,
  storeFailureOf,
  type UpstashSettings,
} from "@usage-stats/cache";
import { type Clock } from "@usage-stats/core";
import { createInProcessLimiter } from "./in-process-limiter.ts";
import { type Limiter, WINDOW_SECONDS } from "./limiter.ts";

const BREAKER = { failures: 5, openMs: 5_000 };

/**
 * Counts in an Upstash Redis, for all servers together. While that does not answer, every process counts for itself: people are
 * never locked out because Redis is. Windows are whole minutes.
 */
export function createUpstashLimiter(
  settings: UpstashSettings & { clock: Clock; onFailure(failure: StoreFailure): void },
): Limiter {
  const redis = createUpstashClient(settings);
  const breaker = createCircuitBreaker({
    ...BREAKER,
    monotonic: () => performance.now(),
    onChange: () => {},
  });
  const local = createInProcessLimiter();
  const blocked = new Map<string, number>();
  const limiters = new Map<number, Ratelimit>();

  function limiterOf(limit: number): Ratelimit {
    let limiter = limiters.get(limit);
    if (limiter === undefined) {
      limiter = new Ratelimit({
        redis,
        limiter: Ratelimit.fixedWindow(limit, `${WINDOW_SECONDS} s`),
        prefix: `usage-stats:limit:${limit}`,
        // Whoever has nothing left is refused without asking again.
        ephemeralCache: blocked,
        // The client has a deadline of its own; after this one it would say that all is well.
        timeout: 0,
      });
      limiters.set(limit, limiter);
    }
    return limiter;
  }

  return {
    async spend(account, limit, cost) {
      if (!breaker.allows()) return local.spend(account, limit, cost);
      try {
        const name = createHash("sha256").update(account).digest("base64url");
        const { success, remaining, reset } = await limiterOf(limit).limit(name, { rate: cost });
        if (!Number.isFinite(remaining)) {
          // The library takes what is no number as more than is allowed, and remembers so.
          blocked.clear();
          throw new StoreFailure("unreadable", "the answer is no number");
        }
        breaker.succeeded();
        const resetMs = Math.max(0, reset - settings.clock.now().getTime());
        return { isAllowed: success, limit, remaining, resetMs };
      } catch (error) {
        breaker.failed();
        settings.onFailure(storeFailureOf(error));
        return local.spend(account, limit, cost);
      }
    },
  };
}
