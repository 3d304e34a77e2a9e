import { type ApiKeyStore, heldScopes, UsageStatsError, type ViewerSecret } from "@usage-stats/core";
import { errors, jwtVerify, SignJWT } from "jose";
import { isUsable } from "./api-key.ts";
import { type Identity } from "./identity.ts";
import { type Session } from "./session.ts";

const PREFIX = "usv_";
const AUDIENCE = "usage-stats-viewer";
// Servers of the version before would not keep to keys and tags: they refuse this one.
const LIMITED_AUDIENCE = "usage-stats-viewer-of-keys-and-tags";
const TYPE = "usage-stats-viewer+jwt";

/** Whether a bearer token says that it is a viewer token. */
export function isViewerToken(text: string): boolean {
  return text.startsWith(PREFIX);
}

export type SignViewerToken = (claims: {
  userDid: string;
  /** The only apps whose calls it may read; `null` for all. */
  onlyApps: readonly string[] | null;
  /** The only keys, and the only values of some tags; absent for all. */
  onlyKeys?: readonly string[] | undefined;
  onlyTags?: Identity["onlyTags"] | undefined;
  /** The API key that it was asked for with, without which it is worthless. */
  keyId: string | null;
  issuedAt: Date;
  expiresAt: Date;
}) => Promise<string>;

/** Signs viewer tokens (`usv_` and a JWT, HS256) with the secret that all servers share. */
export function createSignViewerToken(viewerSecret: ViewerSecret): SignViewerToken {
  return async ({ userDid, onlyApps, onlyKeys, onlyTags, keyId, issuedAt, expiresAt }) => {
    const isLimited = onlyKeys !== undefined || onlyTags !== undefined;
    const claims = {
      ...(onlyApps !== null && { apps: onlyApps }),
      ...(onlyKeys !== undefined && { keys: onlyKeys }),
      ...(onlyTags !== undefined && { tags: onlyTags }),
      ...(keyId !== null && { key: keyId }),
    };
    const jwt = await new SignJWT(claims)
      .setProtectedHeader({ alg: "HS256", typ: TYPE })
      .setSubject(userDid)
      .setAudience(isLimited ? LIMITED_AUDIENCE : AUDIENCE)
      .setIssuedAt(issuedAt)
      .setExpirationTime(expiresAt)
      .sign(new TextEncoder().encode(await viewerSecret()));
    return PREFIX + jwt;
  };
}

/**
 * Reads a viewer token: it may read one user's usage, perhaps of some apps, keys or tags only, and nothing else. One that was asked for with an
 * API key is worthless once that is revoked, expired, or may not read everyone's usage any more. Throws `invalid_token`.
 */
export async function verifyViewerToken(
  { viewerSecret, keys }: { viewerSecret: ViewerSecret; keys: Pick<ApiKeyStore, "find"> },
  text: string,
  now: Date,
): Promise<Session> {
  const payload = await payloadOf(await viewerSecret(), text.slice(PREFIX.length), now);
  const { sub: userDid, exp, apps, keys: onlyKeys, tags: onlyTags, key: keyId } = payload as ViewerClaims;
  let expiresAt = new Date(exp * 1000);
  if (keyId !== undefined) {
    const found = await keys.find(keyId);
    if (
      found === null ||
      !isUsable(found.key, now) ||
      !heldScopes(found.key.scopes).includes("stats:read:any")
    )
      throw invalidToken();
    if (found.key.expiresAt !== null && found.key.expiresAt < expiresAt) expiresAt = found.key.expiresAt;
  }
  const identity = {
    subject: `viewer ${userDid}`,
    userDid,
    scopes: ["stats:read"] as const,
    onlyApps: apps ?? null,
    ...(onlyKeys !== undefined && { onlyKeys }),
    ...(onlyTags !== undefined && { onlyTags }),
    keyId: keyId ?? null,
  };
  return { identity, expiresAt };
}

/** What we have signed ourselves. */
type ViewerClaims = {
  sub: string;
  exp: number;
  apps?: string[];
  keys?: string[];
  tags?: Record<string, string[]>;
  key?: string;
};

async function payloadOf(secret: string, jwt: string, now: Date): Promise<unknown> {
  try {
    const { payload } = await jwtVerify(jwt, new TextEncoder().encode(secret), {
      algorithms: ["HS256"],
      audience: [AUDIENCE, LIMITED_AUDIENCE],
      typ: TYPE,
      requiredClaims: ["sub", "exp"],
      currentDate: now,
    });
    return payload;
  } catch (cause) {
    if (!(cause instanceof errors.JOSEError)) throw cause;
    throw invalidToken(cause);
  }
}

function invalidToken(cause?: unknown): UsageStatsError {
  return new UsageStatsError("invalid_token", "The session is not valid.", { cause });
}
