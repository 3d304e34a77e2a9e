import { SCOPES } from "@usage-stats/core";
import * as z from "zod";
import { instant } from "../input/instant.ts";
import { text, userName } from "../input/wire-text.ts";

const DAY_SECONDS = 86_400;

/** What making a key takes. A key that may only read a user's usage says whose. */
export const createKeyInput = z.strictObject({
  name: text(100),
  scopes: z
    .array(z.enum(SCOPES))
    .min(1)
    .refine((scopes) => new Set(scopes).size === scopes.length, "scopes that differ"),
  /** The user that it speaks for. */
  userDid: userName.optional(),
  /** From when on it is not good any more; never, where absent. */
  expiresAt: instant.optional(),
});

const id = z.string().max(100);

/** `graceSeconds`: how long the secret before stays good, so that nothing fails while machines are given the new one. */
export const rotateKeyInput = z.strictObject({
  id,
  graceSeconds: z
    .int()
    .min(0)
    .max(7 * DAY_SECONDS)
    .default(DAY_SECONDS),
});

export const revokeKeyInput = z.strictObject({ id });

export type CreateKeyInput = z.input<typeof createKeyInput>;
export type RotateKeyInput = z.input<typeof rotateKeyInput>;
