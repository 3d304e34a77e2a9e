import { type Identity, isKeyText } from "@usage-stats/identity";
import { type ApiKeyStore, UsageStatsError, type ViewerSecret } from "@usage-stats/core";
import { type Context } from "hono";
import { getCookie } from "hono/cookie";
import { LRUCache } from "lru-cache";
import { verifyApiKey } from "@usage-stats/identity";
import { createKeyGuesses } from "./key-guesses.ts";
import { refuseCrossSite } from "./refuse-cross-site.ts";
import { type Session } from "@usage-stats/identity";
import { type SessionChecks, verifySessionToken } from "@usage-stats/identity";
import { isViewerToken, verifyViewerToken } from "@usage-stats/identity";

export type IdentifyRequest = {
  /**
   * `mayGuess` is called before the database is asked about a key, and may throw, which refuses what is only a guess. What can be
   * told to be bad without the database never needs it, and what is good is never refused by it.
   */
  (request: Context, now: Date, mayGuess?: () => void): Promise<Identity>;
  /** Checks an API key, and what lives by it, when it is next used; all of them for `null`. */
  forgetKey(id: string | null): void;
};

export type IdentitySettings = {
  checks: SessionChecks;
  sessionCookie: string;
  keys: ApiKeyStore;
  viewerSecret: ViewerSecret;
  /** Whether changes of keys are heard of: what lives by one is checked each time while they are not. */
  hears: () => boolean;
  /** Told where the use of a key could not be noted. */
  onError(error: unknown): void;
};

const REMEMBERED_MS = 60_000;
const LONGEST_REMEMBERED = 2_000;

/**
 * Tells who asks: by `Authorization: Bearer …`, which is a session token, an API key or a viewer token, or else by the session
 * cookie. Throws `unauthenticated`, `invalid_token`, `invalid_key` or `csrf`. What was good is not checked again for a minute,
 * unless it has expired or its key was changed: a signature costs more than a cached answer.
 */
export function createIdentifyRequest(settings: IdentitySettings): IdentifyRequest {
  const { checks, sessionCookie, keys, onError } = settings;
  const sessions = new LRUCache<string, Session>({ max: 5_000, ttl: REMEMBERED_MS });
  const guesses = createKeyGuesses(keys);
  let forgotten = 0;

  const mayBeRemembered = ({ identity }: Session) => identity.keyId === null || settings.hears();

  async function verify(token: string, isBearer: boolean, now: Date, mayGuess: () => void): Promise<Session> {
    if (isBearer && isViewerToken(token)) {
      const find = async (id: string) => {
        await refuseGuess(mayGuess, () => guesses.isKeyId(id));
        return keys.find(id);
      };
      return verifyViewerToken({ ...settings, keys: { find } }, token, now);
    }
    if (!isBearer || !isKeyText(token)) return verifySessionToken(checks, token, now);
    await refuseGuess(mayGuess, () => guesses.isKey(token, now));
    const session = await verifyApiKey(keys, token, now);
    if (now.getTime() - (session.usedBefore?.getTime() ?? 0) >= REMEMBERED_MS)
      void keys.touch(session.identity.keyId!, now).catch(onError);
    return session;
  }

  async function identify(request: Context, now: Date, mayGuess = () => {}): Promise<Identity> {
    const bearer = bearerToken(request.req.header("authorization"));
    const token = bearer ?? getCookie(request, sessionCookie);
    if (token === undefined || token === "")
      throw new UsageStatsError("unauthenticated", "Sign in to see usage.");
    if (bearer === undefined) refuseCrossSite(request.req.raw);
    const remembered = bearer === undefined ? `cookie ${token}` : token;
    const known = sessions.get(remembered);
    if (known !== undefined && now < known.expiresAt && mayBeRemembered(known)) return known.identity;
    const before = forgotten;
    const session = await verify(token, bearer !== undefined, now, mayGuess);
    // A key that was revoked while it was looked up must not be remembered.
    if (token.length <= LONGEST_REMEMBERED && before === forgotten && mayBeRemembered(session))
      sessions.set(remembered, session);
    return session.identity;
  }

  function forgetKey(id: string | null): void {
    forgotten += 1;
    guesses.forget();
    for (const [token, { identity }] of sessions.entries())
      if (identity.keyId !== null && (id === null || identity.keyId === id)) sessions.delete(token);
  }

  return Object.assign(identify, { forgetKey });
}

/** Throws what `mayGuess` does, but for what is no guess. */
async function refuseGuess(mayGuess: () => void, isReal: () => Promise<boolean>): Promise<void> {
  try {
    mayGuess();
  } catch (refusal) {
    if (!(await isReal())) throw refusal;
  }
}

function bearerToken(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  const match = /^Bearer ([\w.~+/-]+=*)$/i.exec(header.trim());
  // Some other scheme, or a mangled token, must not fall back to the cookie of somebody else.
  if (!match)
    throw new UsageStatsError("invalid_token", "Send Authorization: Bearer … with a token or a key.");
  return match[1];
}
