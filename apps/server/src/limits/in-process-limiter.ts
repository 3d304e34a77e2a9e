import { RateLimiterMemory, RateLimiterRes } from "rate-limiter-flexible";
import { type Limiter, type Spent, WINDOW_SECONDS } from "./limiter.ts";

/** Counts in this process alone. A window begins with its first request. */
export function createInProcessLimiter(): Limiter {
  const limiters = new Map<number, RateLimiterMemory>();

  function limiterOf(limit: number): RateLimiterMemory {
    let limiter = limiters.get(limit);
    if (limiter === undefined) {
      limiter = new RateLimiterMemory({ points: limit, duration: WINDOW_SECONDS });
      limiters.set(limit, limiter);
    }
    return limiter;
  }

  return {
    async spend(account, limit, cost) {
      try {
        return spentOf(true, limit, await limiterOf(limit).consume(account, cost));
      } catch (refusal) {
        if (!(refusal instanceof RateLimiterRes)) throw refusal;
        return spentOf(false, limit, refusal);
      }
    },
  };
}

function spentOf(
  isAllowed: boolean,
  limit: number,
  { remainingPoints, msBeforeNext }: RateLimiterRes,
): Spent {
  return { isAllowed, limit, remaining: Math.max(0, remainingPoints), resetMs: Math.max(0, msBeforeNext) };
}
