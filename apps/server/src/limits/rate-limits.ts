import { type Budget, budgetOf, type GuardedOperation, type Identity } from "@usage-stats/api";
import { UsageError } from "@usage-stats/core";
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
  /** Counts a request from an address. Throws `rate_limited`. */
  arrive(address: string): Promise<void>;
  /** Throws `rate_limited` where too many tokens or keys from an address were bad: for what is bad again, or may be guessed. */
  mayTry(address: string): void;
  /** Counts a token or a key that was bad. */
  failed(address: string): Promise<void>;
  /** Counts operations; gives what is left of the budget that is nearest to its end. Throws `rate_limited`. */
  spend(identity: Identity, operations: readonly GuardedOperation[]): Promise<Spent>;
};

const KEY_FACTOR = 10;

/**
 * Limits what one identity does a minute, by budgets, and what comes from one address. Addresses are counted in the process,
 * `alone`: a flood of strangers must not reach Redis.
 */
export function createRateLimits(
  { budgets, address: most, failures }: RateLimitSettings,
  { shared, alone, monotonic }: { shared: Limiter; alone: Limiter; monotonic: () => number },
): RateLimits {
  // So many that nobody can push another out, and no more, whoever has how many addresses.
  const tryAgainAt = new LRUCache<string, number>({ max: 100_000 });

  return {
    async arrive(address) {
      const spent = await alone.spend(`address ${address}`, most, 1);
      if (!spent.isAllowed) throw tooMany(spent, "requests from one address");
    },
    mayTry(address) {
      const leftMs = (tryAgainAt.get(address) ?? 0) - monotonic();
      if (leftMs > 0)
        throw tooMany({ limit: failures, resetMs: leftMs }, "bad tokens or keys from one address");
      tryAgainAt.delete(address);
    },
    async failed(address) {
      const spent = await alone.spend(`failures ${address}`, failures, 1);
      if (spent.remaining === 0) tryAgainAt.set(address, monotonic() + spent.resetMs);
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

function tooMany({ limit, resetMs }: Pick<Spent, "limit" | "resetMs">, ofWhat: string): UsageError {
  const retryAfterSeconds = Math.max(1, Math.ceil(resetMs / 1000));
  return new UsageError("rate_limited", `Too many requests. Try again in ${retryAfterSeconds} s.`, {
    limit: `${limit} ${ofWhat} a minute`,
    retryAfterSeconds,
  });
}
