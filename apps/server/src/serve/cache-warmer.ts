import { setTimeout as sleep } from "node:timers/promises";
import { answer, type AnswerFormat, type OnQuestion } from "@usage-stats/api";
import { type SharedCache } from "@usage-stats/cache";
import {
  type Clock,
  GRAIN_MS,
  isSettled,
  type UsageRepository,
  type UsageStatsInput,
} from "@usage-stats/core";
import { LRUCache } from "lru-cache";

const RECENT_MS = 30 * 60_000;
const MOST_QUESTIONS = 200;
/** Changes that come one after the other are warmed after together. */
const REST_MS = 1_000;
// A question that ends so close to the moment it was asked means "up to now".
const NOW_MS = 60_000;

export type CacheWarmer = {
  onQuestion: OnQuestion;
  /** Asks again what was asked lately about a user (`null`: about anyone) or about all together. Resolves when all is warm. */
  warm(userDid: string | null): Promise<void>;
  close(): Promise<void>;
};

type Asked = { format: AnswerFormat<unknown>; question: UsageStatsInput; at: Date };

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
  const isWaiting = ({ question: { userDid } }: Asked) =>
    userDid === null || waiting.has(userDid) || waiting.has(null);
  const closed = new AbortController();
  let warming: Promise<void> | null = null;

  /** One after the other: it must not take the database from those who wait for an answer. */
  async function askAgain(): Promise<void> {
    while (waiting.size > 0 && !closed.signal.aborted) {
      await sleep(REST_MS, undefined, { signal: closed.signal });
      const due = [...recent.values()].filter(isWaiting);
      waiting.clear();
      for (const { format, question, at } of due) {
        closed.signal.throwIfAborted();
        const now = clock.now();
        const ctx = { ports: { repository }, now, cache: cache.forRequest(), costs: [] };
        await answer(ctx, { ...movedOn(question, at, now), noCache: false }, format);
      }
    }
  }

  return {
    onQuestion(format, question) {
      const { userDid, from, to, noCache: _, ...rest } = question;
      const at = clock.now();
      // One for each length of time: a page that is polled asks for another moment each time.
      const length = Math.round((to.getTime() - from.getTime()) / RECENT_MS);
      recent.set(JSON.stringify([format.kind, userDid, length, rest]), { format, question, at });
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

/** The same question as it would be asked now: one that went up to now still does. */
function movedOn(question: UsageStatsInput, at: Date, now: Date): UsageStatsInput {
  const upToNow = Math.abs(question.to.getTime() - at.getTime()) <= NOW_MS;
  if (isSettled(question, at) || !upToNow) return question;
  const passed = now.getTime() - at.getTime();
  const slides = question.from.getTime() % GRAIN_MS.quarter !== 0;
  return {
    ...question,
    from: slides ? new Date(question.from.getTime() + passed) : question.from,
    to: new Date(question.to.getTime() + passed),
  };
}
