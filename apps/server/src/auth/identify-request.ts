import { type Identity, isKeyText } from "@usage-stats/identity";
import { type ApiKeyStore, type Awaitable, UsageStatsError, type ViewerSecret } from "@usage-stats/core";
import { parse } from "hono/utils/cookie";
import { LRUCache } from "lru-cache";
import { verifyApiKey } from "@usage-stats/identity";
import { createKeyGuesses } from "./key-guesses.ts";
import { refuseCrossSite } from "./refuse-cross-site.ts";
import { type Session } from "@usage-stats/identity";
import { type SessionChecks, verifySessionToken } from "@usage-stats/identity";
import { isViewerToken, verifyViewerToken } from "@usage-stats/identity";

export type IdentifyRequest = {
  /**
   * At once for whoever is remembered. `mayGuess` is called before the database is asked about a key, and may throw, which refuses what is only a guess. What can be
   * told to be bad without the database never needs it, and what is good is never refused by it.
   */
  (request: Asking, now: Date, mayGuess?: () => void): Awaitable<Identity>;
  /** The session that is remembered of whoever sends headers. It may be over: to identify them is what says that it is good. Never throws. */
  remembered(headers: Headers): Session | undefined;
  /** Checks an API key, and what lives by it, when it is next used; all of them for `null`. */
  forgetKey(id: string | null): void;
};

/** `session` is what was remembered just now of whoever reads: a write by cookie needs more than a session. */
type Asking = { req: { raw: Request }; session?: Session };

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
  const isGood = (session: Session | undefined, now: Date): session is Session =>
    session !== undefined && now < session.expiresAt && mayBeRemembered(session);

  async function verify({ token, isBearer }: Credential, now: Date, mayGuess: () => void): Promise<Session> {
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

  async function verifyOnce(credential: Credential, now: Date, mayGuess: () => void): Promise<Identity> {
    const before = forgotten;
    const session = await verify(credential, now, mayGuess);
    // A key that was revoked while it was looked up must not be remembered.
    if (credential.token.length <= LONGEST_REMEMBERED && before === forgotten && mayBeRemembered(session))
      sessions.set(nameOf(credential), session);
    return session.identity;
  }

  function identify({ req: { raw }, session }: Asking, now: Date, mayGuess = () => {}): Awaitable<Identity> {
    if (isGood(session, now)) return session.identity;
    const credential = credentialOf(raw.headers, sessionCookie);
    if (credential === "mangled")
      throw new UsageStatsError("invalid_token", "Send Authorization: Bearer … with a token or a key.");
    if (credential === null) throw new UsageStatsError("unauthenticated", "Sign in to see usage.");
    if (!credential.isBearer) refuseCrossSite(raw);
    const known = sessions.get(nameOf(credential));
    if (isGood(known, now)) return known.identity;
    return verifyOnce(credential, now, mayGuess);
  }

  function remembered(headers: Headers): Session | undefined {
    const credential = credentialOf(headers, sessionCookie);
    return credential === null || credential === "mangled" ? undefined : sessions.get(nameOf(credential));
  }

  function forgetKey(id: string | null): void {
    forgotten += 1;
    guesses.forget();
    for (const [token, { identity }] of sessions.entries())
      if (identity.keyId !== null && (id === null || identity.keyId === id)) sessions.delete(token);
  }

  return Object.assign(identify, { remembered, forgetKey });
}

/** Throws what `mayGuess` does, but for what is no guess. */
async function refuseGuess(mayGuess: () => void, isReal: () => Promise<boolean>): Promise<void> {
  try {
    mayGuess();
  } catch (refusal) {
    if (!(await isReal())) throw refusal;
  }
}

type Credential = { token: string; isBearer: boolean };

/** What a session is remembered by: a cookie is no bearer token, whatever is in it. */
function nameOf({ token, isBearer }: Credential): string {
  return isBearer ? token : `cookie ${token}`;
}

/** What a request brings to show who asks. */
function credentialOf(headers: Headers, sessionCookie: string): Credential | "mangled" | null {
  const authorization = headers.get("authorization");
  if (authorization !== null) {
    const token = /^Bearer ([\w.~+/-]+=*)$/i.exec(authorization.trim())?.[1];
    // Some other scheme, or a mangled token, must not fall back to the cookie of somebody else.
    return token === undefined ? "mangled" : { token, isBearer: true };
  }
  const cookies = headers.get("cookie");
  const token = cookies === null ? undefined : parse(cookies, sessionCookie)[sessionCookie];
  return token === undefined || token === "" ? null : { token, isBearer: false };
}
