import { UsageError } from "@usage-stats/core";
import { createLocalJWKSet, createRemoteJWKSet, errors, type JWTVerifyGetKey } from "jose";

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

/**
 * The public keys at an address (JWKS, RFC 7517). They are fetched again every ten minutes and, for a key that is not among
 * them, at most every 30 seconds. Where they cannot be fetched, those that are known go on being good for a day.
 */
export function publicKeys(url: URL, { refetchMs, pauseMs, timeoutMs } = TIMES): SessionKeys {
  const remote = createRemoteJWKSet(url, {
    cacheMaxAge: refetchMs,
    cooldownDuration: pauseMs,
    timeoutDuration: timeoutMs,
  });
  let fetchedAt = Number.NEGATIVE_INFINITY;
  let failedAt = Number.NEGATIVE_INFINITY;

  function known(cause?: unknown): JWTVerifyGetKey {
    const keys = performance.now() - fetchedAt < LONGEST_OFFLINE_MS ? remote.jwks() : undefined;
    if (keys !== undefined) return createLocalJWKSet(keys);
    throw new UsageError("unavailable", "Sessions cannot be checked right now.", { cause });
  }

  return {
    algorithms: PUBLIC_KEY_ALGORITHMS,
    async keyOf(header, token) {
      // Nobody has to wait for another failure.
      if (performance.now() - failedAt < pauseMs) return known()(header, token);
      try {
        const key = await remote(header, token);
        fetchedAt = performance.now();
        return key;
      } catch (cause) {
        if (isAboutToken(cause)) throw cause;
        failedAt = performance.now();
        return known(cause)(header, token);
      }
    },
  };
}

/** The keys are known; none of them fits. */
function isAboutToken(error: unknown): boolean {
  return (
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys ||
    error instanceof errors.JOSENotSupported
  );
}
