import { UsageError } from "@usage-stats/core";
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  customFetch,
  errors,
  type FetchImplementation,
  type JWTVerifyGetKey,
} from "jose";

/** What checks the signatures of session tokens, and by which algorithms. */
export type SessionKeys = { keyOf: JWTVerifyGetKey; algorithms: string[] };

/** One secret that signs and checks, of at least 32 bytes. */
export function secretKey(secret: string): SessionKeys {
  const key = new TextEncoder().encode(secret);
  return { keyOf: async () => key, algorithms: ["HS256"] };
}

// Never an HS algorithm: a public key would be its secret.
const PUBLIC_KEY_ALGORITHMS = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
];

export type RefetchTimes = {
  /** How long keys are good before they are fetched again. */
  refetchMs: number;
  /** How long to wait before fetching again for a key that is not among them, or after it failed. */
  pauseMs: number;
  timeoutMs: number;
};

const TIMES: RefetchTimes = { refetchMs: 10 * 60_000, pauseMs: 30_000, timeoutMs: 3_000 };
const LONGEST_OFFLINE_MS = 24 * 3_600_000;
const MAX_BYTES = 1_000_000;

/**
 * The public keys at an address (JWKS, RFC 7517). They are fetched again every ten minutes and, for a key that is not among
 * them, at most every 30 seconds. Where they cannot be fetched, `onFailure` is told why, and those that are known go on being good
 * for a day; `unavailable` is thrown where none are known. What is wrong with a token, or with the key that it names, is no such
 * failure: whoever sends tokens cannot keep the keys from being fetched.
 */
export function publicKeys(
  url: URL,
  onFailure: (error: unknown) => void,
  { refetchMs, pauseMs, timeoutMs } = TIMES,
): SessionKeys {
  const remote = createRemoteJWKSet(url, { timeoutDuration: timeoutMs, [customFetch]: fetchSmall });
  let known: { keyOf: JWTVerifyGetKey; at: number } | null = null;
  let failure: { error: unknown; at: number } | null = null;
  let fetching: Promise<void> | null = null;
  const ageOf = (one: { at: number } | null) =>
    one === null ? Number.POSITIVE_INFINITY : performance.now() - one.at;

  async function fetchKeys(): Promise<void> {
    try {
      await remote.reload();
      known = { keyOf: createLocalJWKSet(remote.jwks()!), at: performance.now() };
      failure = null;
    } catch (error) {
      failure = { error, at: performance.now() };
      onFailure(error);
    }
  }

  /** Everybody waits for the same attempt, and nobody for another one soon after a failure. */
  async function refetch(): Promise<void> {
    if (ageOf(failure) < pauseMs) return;
    fetching ??= fetchKeys().finally(() => (fetching = null));
    await fetching;
  }

  const keyOf: JWTVerifyGetKey = (header, token) => {
    if (known !== null && ageOf(known) < LONGEST_OFFLINE_MS) return known.keyOf(header, token);
    throw new UsageError("unavailable", "Sessions cannot be checked right now.", { cause: failure?.error });
  };

  return {
    algorithms: PUBLIC_KEY_ALGORITHMS,
    async keyOf(header, token) {
      if (ageOf(known) >= refetchMs) await refetch();
      try {
        return await keyOf(header, token);
      } catch (error) {
        if (!(error instanceof errors.JWKSNoMatchingKey) || ageOf(known) < pauseMs) throw error;
        await refetch();
        return keyOf(header, token);
      }
    },
  };
}

/** As much as keys can take, and no more; a redirect is not followed. The signal ends the body too. */
const fetchSmall: FetchImplementation = async (url, options) => {
  const response = await fetch(url, options);
  const { body, status } = response;
  if (status !== 200 || body === null) {
    await body?.cancel();
    throw new Error(`answered ${status}, not 200 with keys`);
  }
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  // Leaving the loop early cancels the body.
  for await (const chunk of body) {
    size += chunk.length;
    if (size > MAX_BYTES) throw new Error(`answered more than ${MAX_BYTES.toLocaleString("en")} bytes`);
    chunks.push(chunk);
  }
  return new Response(new Blob(chunks));
};
