import { type Identity } from "./identity.ts";

/** Who a token or a key speaks for, and until when. */
export type Session = {
  identity: Identity;
  expiresAt: Date;
  /** When an API key was used before, to about a minute. */
  usedBefore?: Date | null;
};

/** The end of what has none. */
export const FAR_FUTURE = new Date(8.64e15);
