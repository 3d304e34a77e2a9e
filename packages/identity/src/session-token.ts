import { isStorable, UsageStatsError } from "@usage-stats/core";
import { errors, jwtVerify, SignJWT } from "jose";
import { type Role, SCOPES_OF_ROLE } from "./identity.ts";
import { type SessionKeys } from "./session-keys.ts";
import { type Session } from "./session.ts";

const CLOCK_TOLERANCE_MS = 5_000;
const LONGEST_USER = 256;

/** Signs a session token (JWT, HS256): `sub` is the user's DID. `expires` is a span such as "12h". Throws on a span that is none. */
export function signSessionToken(
  secret: string,
  claims: { userDid: string; role: Role },
  expires: string,
  now: Date,
): Promise<string> {
  return new SignJWT({ role: claims.role })
    .setProtectedHeader({ alg: "HS256", typ: "JWT" })
    .setSubject(claims.userDid)
    .setIssuedAt(now)
    .setExpirationTime(expiryAfter(expires, now))
    .sign(new TextEncoder().encode(secret));
}

/** What a session token has to be: signed by one of these keys and, where that is set, by this issuer for this audience. */
export type SessionChecks = { keys: SessionKeys; issuer?: string | undefined; audience?: string | undefined };

/**
 * Reads a session token. Throws `invalid_token`, with the same words whatever is wrong, so that nothing can be probed;
 * `unavailable` where the keys cannot be had.
 */
export async function verifySessionToken(
  { keys, issuer, audience }: SessionChecks,
  token: string,
  now: Date,
): Promise<Session> {
  try {
    const { payload } = await jwtVerify(token, keys.keyOf, {
      algorithms: keys.algorithms,
      ...(issuer !== undefined && { issuer }),
      ...(audience !== undefined && { audience }),
      requiredClaims: ["sub", "exp"],
      currentDate: now,
      clockTolerance: CLOCK_TOLERANCE_MS / 1000,
    });
    const userDid: unknown = payload.sub;
    if (
      typeof userDid !== "string" ||
      userDid === "" ||
      userDid.length > LONGEST_USER ||
      !isStorable(userDid)
    )
      throw new errors.JWTInvalid("no subject that could be a user");
    // A role that is missing, or is not exactly "admin", gives no rights beyond one's own usage.
    const role = payload["role"] === "admin" ? "admin" : "user";
    const expiresAt = new Date(payload.exp! * 1000 + CLOCK_TOLERANCE_MS);
    const identity = {
      subject: `user ${userDid}`,
      userDid,
      scopes: SCOPES_OF_ROLE[role],
      onlyApps: null,
      keyId: null,
    };
    return { identity, expiresAt };
  } catch (cause) {
    if (cause instanceof UsageStatsError) throw cause;
    // Also what a key cannot be used for, which the platform says in errors of its own.
    throw new UsageStatsError("invalid_token", "The session is not valid.", { cause });
  }
}

const UNITS = { s: 1, m: 60, h: 3600, d: 86_400 };

function expiryAfter(span: string, now: Date): Date {
  const match = /^(\d{1,6})([smhd])$/.exec(span);
  const seconds = match ? Number(match[1]) * UNITS[match[2] as keyof typeof UNITS] : 0;
  if (seconds === 0) {
    throw new UsageStatsError("invalid_option", "The time until expiry must look like 30m, 12h or 7d.", {
      field: "expires",
      value: span,
    });
  }
  return new Date(now.getTime() + seconds * 1000);
}
