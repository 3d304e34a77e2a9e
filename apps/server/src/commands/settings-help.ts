import { settingDefaults } from "../env.ts";

/** What each setting means, in the order they are shown. A test names one that is missing here or in docs/operating.md. */
export const SETTING_MEANINGS: Readonly<Record<string, string>> = {
  DATABASE_URL: "your own Postgres; nothing is embedded then",
  DATABASE_POOL_REPORTS: "connections at the most for reports",
  DATABASE_POOL_LISTS: "for lists, searches and exports of calls",
  DATABASE_POOL_INGEST: "for recording calls",
  DATABASE_POOL_IDENTITY: "for keys, and for /ready",
  DATABASE_POOL_WORKER: "for migrations and rolling up",
  DATABASE_POOL_WAIT_MS: "how long a connection is waited for, in milliseconds",
  AUTH_SECRET: "signs tokens, 32 characters or more; required with DATABASE_URL",
  AUTH_JWKS_URL: "instead of AUTH_SECRET: where the public keys are that sign tokens",
  AUTH_ISSUER: "what a token's iss has to be",
  AUTH_AUDIENCE: "what a token's aud has to be",
  SESSION_COOKIE: "the cookie that holds a session token",
  PORT: "where it listens",
  HOST: "on which address; 0.0.0.0 for every one of the machine",
  REQUEST_DEADLINE_MS: "how long a request may wait for everything together, in milliseconds",
  STATEMENTS_PER_IDENTITY: "statements that one identity may have running at once",
  DRAIN_MS: "how long requests are still taken after SIGTERM, in milliseconds",
  SHUTDOWN_DEADLINE_MS: "after this long it ends, whatever hangs, in milliseconds",
  DATA_DIR: "the embedded database, its password and the secret",
  EMBEDDED: "on: the embedded database also where other settings say real use; off: never",
  DEMO: "off leaves an empty embedded database empty",
  ROLLUP_BATCH: "quarters of an hour that one transaction rolls up",
  CACHE: "where answers are kept: on, off, or bridge, a local stand-in for Upstash",
  CACHE_MEMORY_MB: "megabytes for answers in this process, where there is no Upstash",
  CACHE_TTL_SECONDS: "how long an answer is kept at most, in seconds",
  CACHE_EAR_SECONDS: "how old the last proof may be that changes are heard, in seconds",
  CACHE_DEADLINE_MS: "how long Upstash may keep an answer waiting, in milliseconds",
  CACHE_WARMING: "on: what was asked lately is asked again after a change",
  UPSTASH_REDIS_REST_URL: "a cache that several servers share",
  UPSTASH_REDIS_REST_TOKEN: "its token; both or neither",
  PLAIN_HTTP_HOSTS: "hosts of it and of AUTH_JWKS_URL that need no TLS, separated by commas",
  INGEST_MAX_CALLS: "calls of one request",
  INGEST_MAX_BYTES: "bytes of one request, packed and unpacked",
  INGEST_OLDEST_DAYS: "older calls are rejected, in days",
  RATE_LIMITS: "off limits nobody",
  RATE_LIMIT_READS: "reads of one person a minute; ten times as many by a key",
  RATE_LIMIT_WRITES: "writes of one person a minute",
  RATE_LIMIT_EXPORTS: "exports of one person a minute",
  RATE_LIMIT_ADDRESS: "requests from one address a minute",
  RATE_LIMIT_FAILURES: "bad tokens or keys from one address a minute",
  TRUSTED_PROXIES: "reverse proxies in front, each of which adds to X-Forwarded-For",
  CORS_ORIGINS: "origins whose pages may read answers, separated by commas",
};

/** Every setting with its default and what it means, a line each. */
export function settingsHelp(): string {
  const defaults = settingDefaults();
  const known = Object.keys(SETTING_MEANINGS).filter((name) => defaults.has(name));
  const names = new Set([...known, ...defaults.keys()]);
  const lines = [...names].map(
    (name) =>
      `  ${name.padEnd(24)}  ${(defaults.get(name) ?? "-").padEnd(11)}  ${SETTING_MEANINGS[name] ?? ""}`,
  );
  return ["", "Settings, with what they are where they are not set:", ...lines].join("\n");
}
