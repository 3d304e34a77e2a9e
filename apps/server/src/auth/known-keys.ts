import { type ApiKeyStore, type Clock } from "@usage-stats/core";
import { LRUCache } from "lru-cache";
import { isUsable } from "./api-key.ts";

/** Ids of API keys that exist, so that guesses at others can be refused without the database. */
export type KnownKeys = {
  has(id: string): boolean;
  remember(id: string): void;
  /** The same as `has`, by what the database said within the last seconds: one question for however many guesses. Throws `unavailable`. */
  learnOf(id: string): Promise<boolean>;
};

const MOST = 50_000;
const REMEMBERED_MS = 12 * 3_600_000;
const ASK_AGAIN_MS = 5_000;

export function createKnownKeys(keys: Pick<ApiKeyStore, "list">, clock: Clock): KnownKeys {
  const known = new LRUCache<string, true>({ max: MOST, ttl: REMEMBERED_MS });
  let asked: { at: number; answer: Promise<void> } | null = null;

  async function ask(): Promise<void> {
    for (const key of await keys.list()) if (isUsable(key, clock.now())) known.set(key.id, true);
  }

  return {
    has: (id) => known.has(id),
    remember(id) {
      known.set(id, true);
    },
    async learnOf(id) {
      const now = performance.now();
      if (asked === null || now - asked.at >= ASK_AGAIN_MS) asked = { at: now, answer: ask() };
      await asked.answer;
      return known.has(id);
    },
  };
}
