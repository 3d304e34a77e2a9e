import { type ApiKey, type ApiKeyStore, heldScopes, UsageStatsError } from "@usage-stats/core";
import type * as z from "zod";
import { type Actor, actionOf } from "../audit.ts";
import { type createKeyInput, type revokeKeyInput, type rotateKeyInput } from "./input.ts";
import { newKeyId, newKeyText } from "@usage-stats/identity";

/** What managing keys takes: a request has it, and so has the command line. */
export type KeyContext = { ports: { keys: ApiKeyStore }; now: Date; actor: Actor };

/** A key with its text, which is not kept and cannot be shown again. */
export type NewApiKey = { key: ApiKey; text: string };

/** Makes a key. Throws `invalid_option` for one that could do nothing, or that is over already. */
export async function createKey(
  { ports: { keys }, now, actor }: KeyContext,
  { name, scopes, userDid: user, expiresAt: until }: z.output<typeof createKeyInput>,
): Promise<NewApiKey> {
  const userDid = user ?? null;
  const expiresAt = until ?? null;
  const held = heldScopes(scopes);
  if (userDid === null && held.includes("stats:read") && !held.includes("stats:read:any"))
    throw new UsageStatsError(
      "invalid_option",
      "A key for stats:read alone needs a user, whose usage it reads.",
      {
        field: "userDid",
      },
    );
  if (expiresAt !== null && expiresAt <= now)
    throw new UsageStatsError("invalid_option", "expiresAt must be in the future.", {
      field: "expiresAt",
      value: expiresAt,
    });
  const id = newKeyId();
  const { text, hash } = await newKeyText(id);
  const key: ApiKey = {
    id,
    name,
    scopes,
    userDid,
    createdAt: now,
    createdBy: actor.subject,
    expiresAt,
    lastUsedAt: null,
    revokedAt: null,
  };
  const action = actionOf(actor, now, "create key", `key ${id}`, { name, scopes, userDid, expiresAt });
  await keys.insert(key, { current: hash, previous: null }, action);
  return { key, text };
}

// Those that come while one is under way were meant for the secret before it, though they might find the one after.
const rotating = new Set<string>();

/**
 * Gives a key a new secret; the one before stays good for a while. Throws `not_found`, also for a key that was revoked, and
 * `conflict` where somebody else rotates it: of rotations at once one is made, so that no secret is handed out dead.
 */
export async function rotateKey(ctx: KeyContext, input: z.output<typeof rotateKeyInput>): Promise<NewApiKey> {
  const { id } = input;
  if (rotating.has(id))
    throw new UsageStatsError("conflict", "The key is being rotated by somebody else.", { field: "id" });
  rotating.add(id);
  try {
    return await rotateFromCurrent(ctx, input);
  } finally {
    rotating.delete(id);
  }
}

async function rotateFromCurrent(
  { ports: { keys }, now, actor }: KeyContext,
  { id, graceSeconds }: z.output<typeof rotateKeyInput>,
): Promise<NewApiKey> {
  const found = await keys.find(id);
  if (found === null) throw unknownKey();
  const { text, hash } = await newKeyText(id);
  const until = new Date(now.getTime() + graceSeconds * 1000);
  const previous = graceSeconds === 0 ? null : { hash: found.hashes.current, until };
  const action = actionOf(actor, now, "rotate key", `key ${id}`, { graceSeconds });
  const key = await keys.rotate(id, found.hashes.current, { current: hash, previous }, action);
  if (key === null) throw unknownKey();
  return { key, text };
}

/** Makes a key worthless from now on. Throws `not_found`. */
export async function revokeKey(
  { ports: { keys }, now, actor }: KeyContext,
  { id }: z.output<typeof revokeKeyInput>,
): Promise<ApiKey> {
  const key = await keys.revoke(id, actionOf(actor, now, "revoke key", `key ${id}`));
  if (key === null) throw unknownKey();
  return key;
}

function unknownKey(): UsageStatsError {
  return new UsageStatsError("not_found", "There is no such key.", { field: "id" });
}
