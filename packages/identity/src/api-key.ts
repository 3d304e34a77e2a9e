import { hashOfSecret, parseKeyText } from "./key-text.ts";
import {
  type ApiKey,
  type ApiKeyStore,
  heldScopes,
  type KeyHashes,
  UsageStatsError,
} from "@usage-stats/core";
import { FAR_FUTURE, type Session } from "./session.ts";

/**
 * Reads an API key. Throws `invalid_key`, in the same words and after the same work for one that is unknown, wrong, expired or
 * revoked, so that nothing can be probed; `unavailable` where the database does not answer.
 */
export async function verifyApiKey(keys: ApiKeyStore, text: string, now: Date): Promise<Session> {
  const parts = parseKeyText(text);
  const hash = await hashOfSecret(parts?.secret ?? "");
  const found = parts && (await keys.find(parts.id));
  const goodUntil = secretGoodUntil(hash, found?.hashes, now);
  if (!found || goodUntil === null || !isUsable(found.key, now))
    throw new UsageStatsError("invalid_key", "The key is not valid.");
  const { id, scopes, userDid, expiresAt } = found.key;
  const identity = {
    subject: `key ${id}`,
    userDid,
    scopes: heldScopes(scopes),
    onlyApps: null,
    keyId: id,
  };
  return {
    identity,
    expiresAt: expiresAt !== null && expiresAt < goodUntil ? expiresAt : goodUntil,
    usedBefore: found.key.lastUsedAt,
  };
}

/** Whether a key is neither revoked nor expired. */
export function isUsable({ revokedAt, expiresAt }: ApiKey, now: Date): boolean {
  return revokedAt === null && (expiresAt === null || now < expiresAt);
}

const NO_HASHES: KeyHashes = { current: "0".repeat(64), previous: null };

/** Until when a secret's hash is good; `null` for a wrong one, and after the same work where there is nothing to be checked against. */
export function secretGoodUntil(hash: string, hashes: KeyHashes | null | undefined, now: Date): Date | null {
  const { current, previous } = hashes ?? NO_HASHES;
  const isCurrent = isSame(hash, current);
  const isPrevious = isSame(hash, previous?.hash ?? NO_HASHES.current);
  if (isCurrent) return FAR_FUTURE;
  return isPrevious && previous !== null && now < previous.until ? previous.until : null;
}

/** In the same time wherever they differ. */
function isSame(one: string, other: string): boolean {
  let difference = one.length ^ other.length;
  for (let i = 0; i < one.length; i += 1) difference |= one.charCodeAt(i) ^ other.charCodeAt(i);
  return difference === 0;
}
