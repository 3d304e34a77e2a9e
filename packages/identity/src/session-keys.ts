import { UsageStatsError } from "@usage-stats/core";
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  customFetch,
  type FetchImplementation,
  type JSONWebKeySet,
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

type RefetchTimes = {
  /** How long keys are good before they are fetched again. */
  refetchMs: number;
  /** How long to wait before fetching again for a key that is not among them, or after it failed. */
  pauseMs: number;
  timeoutMs: number;
};

const TIMES: RefetchTimes = { refetchMs: 10 * 60_000, pauseMs: 30_000, timeoutMs: 3_000 };
const LONGEST_OFFLINE_MS = 24 * 3_600_000;
const LARGEST_KEY_SET_BYTES = 1_000_000;

/**
 * The public keys at an address (JWKS, RFC 7517). They are fetched again every ten minutes and, for a key that is not among
 * them, at most every 30 seconds. Where they cannot be fetched, `onFailure` is told, and those that are known go on being good for a
 * day. What is wrong with one key says nothing of the others: a token that names it is bad, no more.
 */
export function publicKeys(
  url: URL,
  onFailure: (error: unknown) => void,
  { refetchMs, pauseMs, timeoutMs } = TIMES,
): SessionKeys {
  let last: { keys: JWTVerifyGetKey; at: number } | null = null;
  let failedAt = Number.NEGATIVE_INFINITY;

  const remote = createRemoteJWKSet(url, {
    cacheMaxAge: refetchMs,
    cooldownDuration: pauseMs,
    timeoutDuration: timeoutMs,
    [customFetch]: async (...request) => {
      try {
        const jwks = await fetchKeySet(...request);
        last = { keys: createLocalJWKSet(jwks), at: performance.now() };
        return Response.json(jwks);
      } catch (cause) {
        failedAt = performance.now();
        onFailure(cause);
        throw new KeysNotFetched("the keys cannot be fetched", { cause });
      }
    },
  });

  function known(cause?: unknown): JWTVerifyGetKey {
    if (last !== null && performance.now() - last.at < LONGEST_OFFLINE_MS) return last.keys;
    throw new UsageStatsError("unavailable", "Sessions cannot be checked right now.", { cause });
  }

  return {
    algorithms: PUBLIC_KEY_ALGORITHMS,
    async keyOf(header, token) {
      // Nobody has to wait for another failure.
      if (performance.now() - failedAt < pauseMs) return known()(header, token);
      try {
        return await remote(header, token);
      } catch (cause) {
        if (!(cause instanceof KeysNotFetched)) throw cause;
        return known(cause)(header, token);
      }
    },
  };
}

class KeysNotFetched extends Error {}

/** Throws where it is no set of keys, larger than a megabyte, or somewhere else: redirects are not followed. The signal ends the body too. */
async function fetchKeySet(...request: Parameters<FetchImplementation>): Promise<JSONWebKeySet> {
  const response = await fetch(...request);
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new UsageStatsError(
      "unavailable",
      `The address of the keys answers with status ${response.status}.`,
    );
  }
  const text = await readText(response, LARGEST_KEY_SET_BYTES);
  return JSON.parse(text) as JSONWebKeySet;
}

async function readText({ body }: Response, maxBytes: number): Promise<string> {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  let text = "";
  let size = 0;
  // Leaving the loop early ends the connection.
  for await (const chunk of body ?? []) {
    size += chunk.length;
    if (size > maxBytes) throw new UsageStatsError("unavailable", "The keys are larger than a megabyte.");
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
