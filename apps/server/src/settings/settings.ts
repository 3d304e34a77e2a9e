import { resolve } from "node:path";
import { type RecordLimits } from "@usage-stats/api";
import { type RateLimitSettings } from "../limits/rate-limits.ts";
import { type CheckedSettings } from "./check-settings.ts";

/** Every setting, checked, as the program takes them. `dataDir` is absolute. */
export type Settings = ReturnType<typeof settingsOf>;

/** How many connections each pool has at the most, and how long they are waited for. */
export type PoolSettings = Settings["pools"];
export type PoolName = Exclude<keyof PoolSettings, "waitMs">;

/** Where answers are kept. */
export type CacheChoice =
  | { kind: "off" }
  | { kind: "in-process"; maxBytes: number }
  | { kind: "upstash"; url: string; token: string; deadlineMs: number }
  /** A local stand-in for Upstash. */
  | { kind: "bridge"; deadlineMs: number };

/** Says where each setting goes, in the units that the program counts in. */
export function settingsOf(checked: CheckedSettings) {
  return {
    port: checked.PORT,
    host: checked.HOST,
    dataDir: resolve(checked.DATA_DIR),
    databaseUrl: checked.DATABASE_URL,
    pools: {
      reports: checked.DATABASE_POOL_REPORTS,
      lists: checked.DATABASE_POOL_LISTS,
      ingest: checked.DATABASE_POOL_INGEST,
      identity: checked.DATABASE_POOL_IDENTITY,
      worker: checked.DATABASE_POOL_WORKER,
      waitMs: checked.DATABASE_POOL_WAIT_MS,
    },
    /** How long a request may wait for everything together, from its arrival on. */
    requestDeadlineMs: checked.REQUEST_DEADLINE_MS,
    /** Statements that one identity may have running at once. */
    statementsPerIdentity: checked.STATEMENTS_PER_IDENTITY,
    shutdown: {
      /** How long requests are still accepted after SIGTERM, so that whoever sends them may notice that the server is not ready. */
      drainMs: checked.DRAIN_MS,
      /** After this long the process ends, whatever hangs. */
      deadlineMs: checked.SHUTDOWN_DEADLINE_MS,
    },
    /** Whether the embedded database is asked for, or must not be used; `null` where nothing is said. */
    embedded: checked.EMBEDDED === undefined ? null : checked.EMBEDDED === "on",
    isProduction: checked.NODE_ENV === "production",
    demo: checked.DEMO === "on",
    authSecret: checked.AUTH_SECRET,
    /** Where the public keys are that sign tokens instead of the secret. */
    authJwksUrl: checked.AUTH_JWKS_URL === undefined ? undefined : new URL(checked.AUTH_JWKS_URL),
    authIssuer: checked.AUTH_ISSUER,
    authAudience: checked.AUTH_AUDIENCE,
    sessionCookie: checked.SESSION_COOKIE,
    /** Quarters of an hour that one transaction rolls up. */
    rollupBatch: checked.ROLLUP_BATCH,
    cache: cacheChoice(checked),
    cacheTtlMs: checked.CACHE_TTL_SECONDS * 1000,
    /** How old the last proof may be that the database's announcements are heard. */
    earMs: checked.CACHE_EAR_SECONDS * 1000,
    cacheWarming: checked.CACHE_WARMING === "on",
    recordLimits: {
      maxCalls: checked.INGEST_MAX_CALLS,
      oldestMs: checked.INGEST_OLDEST_DAYS * 86_400_000,
      aheadMs: 5 * 60_000,
      tags: checked.TAGS,
    } satisfies RecordLimits,
    maxIngestBytes: checked.INGEST_MAX_BYTES,
    /** `null` for no limits. */
    rateLimits: checked.RATE_LIMITS === "off" ? null : rateLimits(checked),
    trustedProxies: checked.TRUSTED_PROXIES,
    corsOrigins: checked.CORS_ORIGINS,
  };
}

function rateLimits(checked: CheckedSettings): RateLimitSettings {
  return {
    budgets: {
      read: checked.RATE_LIMIT_READS,
      write: checked.RATE_LIMIT_WRITES,
      export: checked.RATE_LIMIT_EXPORTS,
    },
    address: checked.RATE_LIMIT_ADDRESS,
    failures: checked.RATE_LIMIT_FAILURES,
  };
}

function cacheChoice(checked: CheckedSettings): CacheChoice {
  const deadlineMs = checked.CACHE_DEADLINE_MS;
  const { UPSTASH_REDIS_REST_URL: url, UPSTASH_REDIS_REST_TOKEN: token } = checked;
  if (checked.CACHE === "off") return { kind: "off" };
  if (checked.CACHE === "bridge") return { kind: "bridge", deadlineMs };
  if (url !== undefined && token !== undefined) return { kind: "upstash", url, token, deadlineMs };
  return { kind: "in-process", maxBytes: checked.CACHE_MEMORY_MB * 1_000_000 };
}
