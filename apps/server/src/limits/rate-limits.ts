import { type Budget, budgetOf, type GuardedOperation } from "@usage-stats/api";
import { type Identity } from "@usage-stats/identity";
import { type Awaitable, UsageStatsError } from "@usage-stats/core";
import { LRUCache } from "lru-cache";
import { type Limiter, type Spent } from "./limiter.ts";

/** How much is allowed a minute. */
export type RateLimitSettings = {
  /** Of a person; an API key has ten times as much. */
  budgets: Record<Budget, number>;
  /** All requests from one address. */
  address: number;
  /** Tokens and keys from one address that turned out to be bad. */
  failures: number;
};

export type RateLimits = {
  /**
   * Counts a request from an address, apart for those of whom it is known who they are and for strangers, so that none of these
   * take anything from those. Throws `rate_limited`.
   */
  countRequest(address: string, who: "known" | "stranger"): Promise<void>;
  /**
   * Finds out who asks, and counts where the token or key was bad. Throws what `identify` does, or `rate_limited` instead where too
   * many from the address were bad. `identify` is handed what throws the same before a guess is looked at.
   */
  attempt<T>(address: string, identify: (mayGuess: () => void) => Awaitable<T>): Promise<T>;
  /** Counts operations; gives what is left of the budget that is nearest to its end. Throws `rate_limited`. */
  spend(identity: Identity, operations: readonly GuardedOperation[]): Promise<Spent>;
};

const KEY_FACTOR = 10;
const BAD = "bad tokens or keys from one address";

/**
 * Limits what one identity does a minute, by budgets, and what comes from one address. Addresses are counted in the process,
 * `local`: a flood of strangers must not reach Redis.
 */
export function createRateLimits(
  { budgets, address: most, failures }: RateLimitSettings,
  { shared, local, monotonic }: { shared: Limiter; local: Limiter; monotonic: () => number },
): RateLimits {
  // So many that nobody can push another out, and no more, whoever has how many addresses.
  const tryAgainAt = new LRUCache<string, number>({ max: 100_000 });

  const attempts = new Map<string, number>();

  function refuseIfBad(address: string): void {
    const leftMs = (tryAgainAt.get(address) ?? 0) - monotonic();
    if (leftMs > 0) throw tooMany({ limit: failures, resetMs: leftMs }, BAD);
    tryAgainAt.delete(address);
  }

  async function countIfBad(address: string, error: unknown): Promise<void> {
    if (!isBadCredential(error)) return;
    refuseIfBad(address);
    const spent = await local.spend(`failures ${address}`, failures, 1);
    if (spent.remaining === 0) tryAgainAt.set(address, monotonic() + spent.resetMs);
  }

  return {
    async countRequest(address, who) {
      const spent = await local.spend(`${who} ${address}`, most, 1);
      if (!spent.isAllowed) throw tooMany(spent, "requests from one address");
    },
    async attempt(address, identify) {
      attempts.set(address, (attempts.get(address) ?? 0) + 1);
      try {
        return await identify(() => {
          refuseIfBad(address);
          // All at once might be bad, too.
          if (attempts.get(address)! > failures) throw tooMany({ limit: failures, resetMs: 1_000 }, BAD);
        });
      } catch (error) {
        await countIfBad(address, error);
        throw error;
      } finally {
        const left = attempts.get(address)! - 1;
        if (left === 0) attempts.delete(address);
        else attempts.set(address, left);
      }
    },
    async spend({ subject, keyId }, operations) {
      const isKey = subject === `key ${keyId}`;
      let nearest: Spent | null = null;
      for (const [budget, { length }] of Map.groupBy(operations, budgetOf)) {
        const limit = budgets[budget] * (isKey ? KEY_FACTOR : 1);
        const spent = await shared.spend(`${budget} ${subject}`, limit, length);
        if (!spent.isAllowed) throw tooMany(spent, `${budget}s`);
        if (nearest === null || spent.remaining < nearest.remaining) nearest = spent;
      }
      return nearest!;
    },
  };
}

function tooMany({ limit, resetMs }: Pick<Spent, "limit" | "resetMs">, ofWhat: string): UsageStatsError {
  const retryAfterSeconds = Math.max(1, Math.ceil(resetMs / 1000));
  return new UsageStatsError("rate_limited", `Too many requests. Try again in ${retryAfterSeconds} s.`, {
    limit: `${limit} ${ofWhat} a minute`,
    retryAfterSeconds,
  });
}

function isBadCredential(error: unknown): boolean {
  return error instanceof UsageStatsError && (error.code === "invalid_token" || error.code === "invalid_key");
}
