import { type Identity } from "@usage-stats/api";
import { type Clock, UsageError } from "@usage-stats/core";
import { type Context } from "hono";
import { getCookie } from "hono/cookie";
import { verifySessionToken } from "./session-token.ts";

export type IdentifyRequest = (request: Context) => Promise<Identity>;

/** Tells who asks from `Authorization: Bearer …` or else the session cookie. Throws `unauthenticated` or `invalid_token`. */
export function createIdentifyRequest(settings: {
  authSecret: string;
  sessionCookie: string;
  clock: Clock;
}): IdentifyRequest {
  return async (request) => {
    const token =
      bearerToken(request.req.header("authorization")) ?? getCookie(request, settings.sessionCookie);
    if (token === undefined || token === "") throw new UsageError("unauthenticated", "Sign in to see usage.");
    return verifySessionToken(settings.authSecret, token, settings.clock.now());
  };
}

function bearerToken(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  const match = /^Bearer ([\w.~+/-]+=*)$/i.exec(header.trim());
  // Some other scheme, or a mangled token, must not fall back to the cookie of somebody else.
  if (!match) throw new UsageError("invalid_token", "The session is not valid.");
  return match[1];
}
