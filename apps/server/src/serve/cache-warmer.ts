import { setTimeout as sleep } from "node:timers/promises";
import { answer, type AnswerFormat, type OnQuery } from "@usage-stats/api";
import { type SharedCache } from "@usage-stats/cache";
import {
  type Clock,
  GRAIN_MS,
  isSettled,
  type UsageRepository,
  type UsageStatsQuery,
} from "@usage-stats/core";
import { LRUCache } from "lru-cache";

const RECENT_MS = 30 * 60_000;
const MOST_QUESTIONS = 200;
/** Changes that come one after the other are warmed after together. */
const REST_MS = 1_000;
// A query that ends so close to the moment it was asked means "up to now".
const NOW_MS = 60_000;

export type CacheWarmer = {
  onQuery: OnQuery;
  /** Asks again what was asked lately about a user (`null`: about anyone) or about all together. Resolves when all is warm. */
  warm(userDid: string | null): Promise<void>;
  close(): Promise<void>;
};

type Asked = { format: AnswerFormat<unknown>; query: UsageStatsQuery; at: Date };

/**
 * Keeps answers ready: what somebody looked at lately is asked again, in the format that they had it in, once its user's calls were rolled
 * up or changed.
 */
export function createCacheWarmer(
  { repository, cache, clock }: { repository: UsageRepository; cache: SharedCache; clock: Clock },
  onError: (error: unknown) => void,
): CacheWarmer {
  const recent = new LRUCache<string, Asked>({ max: MOST_QUESTIONS, ttl: RECENT_MS });
  const waiting = new Set<string | null>();
  const isWaiting = ({ query: { userDid } }: Asked) =>
    userDid === null || waiting.has(userDid) || waiting.has(null);
  const closed = new AbortController();
  let warming: Promise<void> | null = null;

  /** One after the other: it must not take the database from those who wait for an answer. */
  async function askAgain(): Promise<void> {
    while (waiting.size > 0 && !closed.signal.aborted) {
      await sleep(REST_MS, undefined, { signal: closed.signal });
      const due = [...recent.values()].filter(isWaiting);
      waiting.clear();
      for (const { format, query, at } of due) {
        closed.signal.throwIfAborted();
        const now = clock.now();
        const ctx = { ports: { repository }, now, cache: cache.forRequest(), costs: [] };
        await answer(ctx, { ...movedOn(query, at, now), noCache: false }, format);
      }
    }
  }

  return {
    onQuery(format, query) {
      const { userDid, from, to, noCache: _, ...rest } = query;
      const at = clock.now();
      // One for each length of time: a page that is polled asks for another moment each time.
      const length = Math.round((to.getTime() - from.getTime()) / RECENT_MS);
      recent.set(JSON.stringify([format.kind, userDid, length, rest]), { format, query, at });
    },
    warm(userDid) {
      waiting.add(userDid);
      warming ??= askAgain()
        .catch((error: unknown) => {
          if (!closed.signal.aborted) onError(error);
        })
        .finally(() => (warming = null));
      return warming;
    },
    async close() {
      closed.abort();
      await warming;
    },
  };
}

/** The same query as it would be asked now: one that went up to now still does. */
function movedOn(query: UsageStatsQuery, at: Date, now: Date): UsageStatsQuery {
  const upToNow = Math.abs(query.to.getTime() - at.getTime()) <= NOW_MS;
  if (isSettled(query, at) || !upToNow) return query;
  const passed = now.getTime() - at.getTime();
  const slides = query.from.getTime() % GRAIN_MS.quarter !== 0;
  return {
    ...query,
    from: slides ? new Date(query.from.getTime() + passed) : query.from,
    to: new Date(query.to.getTime() + passed),
  };
}
