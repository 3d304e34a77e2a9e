import { type Identity } from "@usage-stats/api";
import { type Clock, UsageError } from "@usage-stats/core";
import { type Context } from "hono";
import { getCookie } from "hono/cookie";
import { LRUCache } from "lru-cache";
import { refuseCrossSite } from "./refuse-cross-site.ts";
import { type Session, type SessionChecks, verifySessionToken } from "./session-token.ts";

export type IdentifyRequest = (request: Context) => Promise<Identity>;

const REMEMBERED_MS = 60_000;
const LONGEST_REMEMBERED = 2_000;

/**
 * Tells who asks from `Authorization: Bearer …` or else the session cookie. Throws `unauthenticated` or `invalid_token`. A token
 * that was good is not checked again for a minute, unless it has expired: its signature costs more than a kept answer.
 */
export function createIdentifyRequest(settings: {
  checks: SessionChecks;
  sessionCookie: string;
  clock: Clock;
}): IdentifyRequest {
  const sessions = new LRUCache<string, Session>({ max: 5_000, ttl: REMEMBERED_MS });
  return async (request) => {
    const bearer = bearerToken(request.req.header("authorization"));
    const token = bearer ?? getCookie(request, settings.sessionCookie);
    if (token === undefined || token === "") throw new UsageError("unauthenticated", "Sign in to see usage.");
    if (bearer === undefined) refuseCrossSite(request.req.raw);
    const now = settings.clock.now();
    const known = sessions.get(token);
    if (known !== undefined && now < known.expiresAt) return known.identity;
    const session = await verifySessionToken(settings.checks, token, now);
    if (token.length <= LONGEST_REMEMBERED) sessions.set(token, session);
    return session.identity;
  };
}

function bearerToken(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  const match = /^Bearer ([\w.~+/-]+=*)$/i.exec(header.trim());
  // Some other scheme, or a mangled token, must not fall back to the cookie of somebody else.
  if (!match) throw new UsageError("invalid_token", "The session is not valid.");
  return match[1];
}
