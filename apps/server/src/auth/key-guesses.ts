import { hashOfSecret, parseKeyText } from "@usage-stats/identity";
import { type ApiKeyStore, type KeyHashes } from "@usage-stats/core";
import { secretGoodUntil } from "@usage-stats/identity";

/**
 * Tells guesses at API keys from keys by what the database said of all of them within the last seconds: one query, however many
 * guesses. What is no guess has still to be checked. Throws `unavailable`.
 */
export type KeyGuesses = {
  /** Whether the text of a key is one that there was. */
  isKey(text: string, now: Date): Promise<boolean>;
  /** Whether an id is that of a key which was not revoked. */
  isKeyId(id: string): Promise<boolean>;
  /** Asks anew when it is next needed. */
  forget(): void;
};

const ASK_AGAIN_MS = 5_000;

export function createKeyGuesses(keys: Pick<ApiKeyStore, "hashes">): KeyGuesses {
  let asked: { at: number; answer: Promise<ReadonlyMap<string, KeyHashes>> } | null = null;

  async function known(): Promise<ReadonlyMap<string, KeyHashes>> {
    const now = performance.now();
    if (asked === null || now - asked.at >= ASK_AGAIN_MS) asked = { at: now, answer: keys.hashes() };
    const mine = asked;
    try {
      return await mine.answer;
    } catch (error) {
      // A failure is no answer to keep.
      if (asked === mine) asked = null;
      throw error;
    }
  }

  return {
    async isKey(text, now) {
      const parts = parseKeyText(text);
      const hash = await hashOfSecret(parts?.secret ?? "");
      return secretGoodUntil(hash, parts && (await known()).get(parts.id), now) !== null;
    },
    isKeyId: async (id) => (await known()).has(id),
    forget() {
      asked = null;
    },
  };
}
