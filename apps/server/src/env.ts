import { join, relative, resolve } from "node:path";
import { type RecordLimits } from "@usage-stats/api";
import { ConnectionRefusal, connectionTarget, DEFAULT_BATCH } from "@usage-stats/db";
import * as z from "zod";
import { type RateLimitSettings } from "./limits/rate-limits.ts";
import { findMisspeltNames } from "./misspelt-names.ts";
import { OperatorError } from "./operator-error.ts";
import { isExposed, serviceUrl } from "./service-url.ts";

const REPOSITORY = resolve(import.meta.dirname, "../../..");

const whole = ({ min, max }: { min: number; max: number }) =>
  z.coerce
    .number({ error: "must be a number" })
    .int("must be a whole number")
    .min(min, `must be at least ${min}`)
    .max(max, `must be at most ${max}`);

/** Refuses by name what cannot be honoured of it. */
const databaseUrl = z.string().superRefine((url, { addIssue }) => {
  try {
    connectionTarget(url);
  } catch (error) {
    if (!(error instanceof ConnectionRefusal)) throw error;
    addIssue({ code: "custom", message: error.message.replace(/^DATABASE_URL:? /, "") });
  }
});

const port = whole({ min: 0, max: 65_535 });

const schema = z
  .object({
    PORT: port.default(3000),
    HOST: z.string().min(1).default("127.0.0.1"),
    DATA_DIR: z.string().min(1).default(join(REPOSITORY, ".data")),
    DATABASE_URL: databaseUrl.optional(),
    DATABASE_POOL_REPORTS: whole({ min: 1, max: 1_000 }).default(7),
    DATABASE_POOL_LISTS: whole({ min: 1, max: 1_000 }).default(3),
    DATABASE_POOL_INGEST: whole({ min: 1, max: 1_000 }).default(6),
    DATABASE_POOL_IDENTITY: whole({ min: 1, max: 1_000 }).default(2),
    DATABASE_POOL_WORKER: whole({ min: 2, max: 1_000 }).default(4),
    DATABASE_POOL_WAIT_MS: whole({ min: 50, max: 10_000 }).default(2_000),
    // What a client that waits 30 s is promised: with a statement of ten seconds that begins at the last moment, it is 28.
    REQUEST_DEADLINE_MS: whole({ min: 100, max: 18_000 }).default(15_000),
    STATEMENTS_PER_IDENTITY: whole({ min: 1, max: 1_000 }).default(3),
    DRAIN_MS: whole({ min: 0, max: 600_000 }).default(1_000),
    SHUTDOWN_DEADLINE_MS: whole({ min: 100, max: 3_600_000 }).default(25_000),
    EMBEDDED: z.enum(["on", "off"]).optional(),
    NODE_ENV: z.string().optional(),
    DEMO: z.enum(["on", "off"]).default("on"),
    AUTH_SECRET: z
      .string()
      .min(32, "must have at least 32 characters (openssl rand -base64 32 makes one)")
      .optional(),
    AUTH_JWKS_URL: serviceUrl("https://id.example/jwks").optional(),
    AUTH_ISSUER: z.string().min(1).optional(),
    AUTH_AUDIENCE: z.string().min(1).optional(),
    ROLLUP_BATCH: whole({ min: 100, max: 20_000 }).default(DEFAULT_BATCH),
    CACHE: z.enum(["on", "off", "bridge"]).default("on"),
    CACHE_TTL_SECONDS: whole({ min: 1, max: 3_600 }).default(300),
    CACHE_MEMORY_MB: whole({ min: 1, max: 16_384 }).default(64),
    CACHE_DEADLINE_MS: whole({ min: 5, max: 5_000 }).default(50),
    CACHE_EAR_SECONDS: whole({ min: 1, max: 60 }).default(3),
    CACHE_WARMING: z.enum(["on", "off"]).default("off"),
    UPSTASH_REDIS_REST_URL: serviceUrl("https://eu1-name.upstash.io").optional(),
    PLAIN_HTTP_HOSTS: z
      .string()
      .transform((list) => list.split(",").map((host) => host.trim()))
      .default([]),
    NODE_TLS_REJECT_UNAUTHORIZED: z
      .string()
      .refine(
        (value) => value !== "0",
        "0 would trust every certificate; name the authority's file in NODE_EXTRA_CA_CERTS instead",
      )
      .optional(),
    UPSTASH_REDIS_REST_TOKEN: z.string().min(1).optional(),
    INGEST_MAX_CALLS: whole({ min: 1, max: 20_000 }).default(5_000),
    INGEST_MAX_BYTES: whole({ min: 10_000, max: 64_000_000 }).default(4_000_000),
    INGEST_OLDEST_DAYS: whole({ min: 1, max: 10_000 }).default(400),
    RATE_LIMITS: z.enum(["on", "off"]).default("on"),
    RATE_LIMIT_READS: whole({ min: 1, max: 1_000_000 }).default(120),
    RATE_LIMIT_WRITES: whole({ min: 1, max: 1_000_000 }).default(600),
    RATE_LIMIT_EXPORTS: whole({ min: 1, max: 1_000_000 }).default(6),
    RATE_LIMIT_ADDRESS: whole({ min: 1, max: 1_000_000 }).default(6_000),
    RATE_LIMIT_FAILURES: whole({ min: 1, max: 1_000_000 }).default(10),
    TRUSTED_PROXIES: whole({ min: 0, max: 10 }).default(0),
    CORS_ORIGINS: z
      .string()
      .transform((list) => list.split(",").map((origin) => origin.trim()))
      .refine(
        (origins) => origins.every((origin) => URL.canParse(origin) && new URL(origin).origin === origin),
        "must be origins such as https://app.example, separated by commas",
      )
      .default([]),
    SESSION_COOKIE: z
      .string()
      .regex(/^[\w!#$%&'*+.^`|~-]+$/, "must be a cookie name")
      .default("login_token"),
  })
  .refine(
    (env) =>
      env.DATABASE_URL === undefined || env.AUTH_SECRET !== undefined || env.AUTH_JWKS_URL !== undefined,
    {
      path: ["AUTH_SECRET"],
      message:
        "is required with DATABASE_URL, or else AUTH_JWKS_URL: it signs the tokens that say who someone is",
      // Said beside the other problems, not only once they are mended.
      when: () => true,
    },
  )
  .refine((env) => env.DATABASE_URL === undefined || env.EMBEDDED !== "on", {
    path: ["EMBEDDED"],
    message: "cannot be on where DATABASE_URL is set: unset one of them",
    when: () => true,
  })
  .refine((env) => env.AUTH_SECRET === undefined || env.AUTH_JWKS_URL === undefined, {
    path: ["AUTH_JWKS_URL"],
    message: "cannot be set together with AUTH_SECRET: unset one of them",
    when: () => true,
  })
  .refine(
    (env) => (env.UPSTASH_REDIS_REST_URL === undefined) === (env.UPSTASH_REDIS_REST_TOKEN === undefined),
    {
      path: ["UPSTASH_REDIS_REST_TOKEN"],
      message: "belongs with UPSTASH_REDIS_REST_URL: set both, or neither",
      when: () => true,
    },
  )
  .superRefine((env, { addIssue }) => {
    for (const name of ["AUTH_JWKS_URL", "UPSTASH_REDIS_REST_URL"] as const) {
      if (!isExposed(env[name], env.PLAIN_HTTP_HOSTS)) continue;
      const message =
        "must begin with https:// unless it is on this machine; a host to which the way is safe can be named in PLAIN_HTTP_HOSTS";
      addIssue({ code: "custom", path: [name], message });
    }
  })
  .refine((env) => env.CACHE !== "bridge" || env.UPSTASH_REDIS_REST_URL === undefined, {
    path: ["CACHE"],
    message: "cannot be bridge where UPSTASH_REDIS_REST_URL is set: unset one of them",
    when: () => true,
  });

/** Every setting, checked. `dataDir` is absolute. */
export type Settings = {
  port: number;
  host: string;
  dataDir: string;
  databaseUrl: string | undefined;
  pools: PoolSettings;
  /** How long a request may wait for everything together, from its arrival on. */
  requestDeadlineMs: number;
  /** Statements that one identity may have running at once. */
  statementsPerIdentity: number;
  shutdown: ShutdownSettings;
  /** Whether the embedded database is asked for, or must not be used; `null` where nothing is said. */
  embedded: boolean | null;
  isProduction: boolean;
  demo: boolean;
  authSecret: string | undefined;
  /** Where the public keys are that sign tokens instead of the secret. */
  authJwksUrl: URL | undefined;
  authIssuer: string | undefined;
  authAudience: string | undefined;
  sessionCookie: string;
  /** Quarters of an hour that one transaction rolls up. */
  rollupBatch: number;
  cache: CacheChoice;
  cacheTtlMs: number;
  /** How old the last proof may be that the database's announcements are heard. */
  earMs: number;
  cacheWarming: boolean;
  recordLimits: RecordLimits;
  maxIngestBytes: number;
  /** `null` for no limits. */
  rateLimits: RateLimitSettings | null;
  trustedProxies: number;
  corsOrigins: string[];
};

/** How many connections each pool has at the most, and how long they are waited for. */
export type PoolSettings = Record<PoolName, number> & { waitMs: number };
export type PoolName = "reports" | "lists" | "ingest" | "identity" | "worker";

type ShutdownSettings = {
  /** How long requests are still accepted after SIGTERM, so that whoever sends them may notice that the server is not ready. */
  drainMs: number;
  /** After this long the process ends, whatever hangs. */
  deadlineMs: number;
};

/** Where answers are kept. */
export type CacheChoice =
  | { kind: "off" }
  | { kind: "in-process"; maxBytes: number }
  | { kind: "upstash"; url: string; token: string; deadlineMs: number }
  /** A local stand-in for Upstash. */
  | { kind: "bridge"; deadlineMs: number };

/** Reads the settings from environment variables; an empty one counts as unset. Throws `OperatorError` naming every problem. */
export function readSettings(env: NodeJS.ProcessEnv = process.env): Settings {
  const given = withLibpqVariables(
    Object.fromEntries(Object.entries(env).filter(([, value]) => value !== "")),
  );
  const result = schema.safeParse(given);
  if (!result.success) {
    const problems = result.error.issues.map(({ path, message }) => `  ${path.join(".")}: ${message}`);
    throw new OperatorError(
      ["These settings are not right:", ...new Set(problems), ...hintsOnNames(env)].join("\n"),
    );
  }
  const checked = result.data;
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
    requestDeadlineMs: checked.REQUEST_DEADLINE_MS,
    statementsPerIdentity: checked.STATEMENTS_PER_IDENTITY,
    shutdown: { drainMs: checked.DRAIN_MS, deadlineMs: checked.SHUTDOWN_DEADLINE_MS },
    embedded: checked.EMBEDDED === undefined ? null : checked.EMBEDDED === "on",
    isProduction: checked.NODE_ENV === "production",
    demo: checked.DEMO === "on",
    authSecret: checked.AUTH_SECRET,
    authJwksUrl: checked.AUTH_JWKS_URL === undefined ? undefined : new URL(checked.AUTH_JWKS_URL),
    authIssuer: checked.AUTH_ISSUER,
    authAudience: checked.AUTH_AUDIENCE,
    sessionCookie: checked.SESSION_COOKIE,
    rollupBatch: checked.ROLLUP_BATCH,
    cache: cacheChoice(checked),
    cacheTtlMs: checked.CACHE_TTL_SECONDS * 1000,
    earMs: checked.CACHE_EAR_SECONDS * 1000,
    cacheWarming: checked.CACHE_WARMING === "on",
    recordLimits: {
      maxCalls: checked.INGEST_MAX_CALLS,
      oldestMs: checked.INGEST_OLDEST_DAYS * 86_400_000,
      aheadMs: 5 * 60_000,
    },
    maxIngestBytes: checked.INGEST_MAX_BYTES,
    rateLimits:
      checked.RATE_LIMITS === "off"
        ? null
        : {
            budgets: {
              read: checked.RATE_LIMIT_READS,
              write: checked.RATE_LIMIT_WRITES,
              export: checked.RATE_LIMIT_EXPORTS,
            },
            address: checked.RATE_LIMIT_ADDRESS,
            failures: checked.RATE_LIMIT_FAILURES,
          },
    trustedProxies: checked.TRUSTED_PROXIES,
    corsOrigins: checked.CORS_ORIGINS,
  };
}

function cacheChoice(checked: z.output<typeof schema>): CacheChoice {
  const deadlineMs = checked.CACHE_DEADLINE_MS;
  const { UPSTASH_REDIS_REST_URL: url, UPSTASH_REDIS_REST_TOKEN: token } = checked;
  if (checked.CACHE === "off") return { kind: "off" };
  if (checked.CACHE === "bridge") return { kind: "bridge", deadlineMs };
  if (url !== undefined && token !== undefined) return { kind: "upstash", url, token, deadlineMs };
  return { kind: "in-process", maxBytes: checked.CACHE_MEMORY_MB * 1_000_000 };
}

/** The database alone, for `mikro-orm`, which needs no other setting. Throws `OperatorError` where it is not set. */
export function readDatabaseUrl(env: NodeJS.ProcessEnv = process.env): string {
  if (env["DATABASE_URL"]) {
    const result = databaseUrl.safeParse(withLibpqVariables(env)["DATABASE_URL"]);
    if (result.success) return result.data;
    throw new OperatorError(`DATABASE_URL: ${result.error.issues[0]!.message}`);
  }
  throw new OperatorError(
    "DATABASE_URL is not set. `npm run -s mikro-orm …` in the top folder finds the embedded database by itself.",
  );
}

/** What to tell of variables whose names are nearly those of settings, never of their values. */
export function hintsOnNames(env: NodeJS.ProcessEnv = process.env): string[] {
  const given = Object.keys(env).filter((name) => env[name] !== "");
  const ours = Object.keys(schema.shape).filter((name) => name !== "NODE_ENV");
  return findMisspeltNames(given, ours).map(
    (name) => `settings: ${name.given} is set, which is none: did you mean ${name.meant}?`,
  );
}

/** The same for a message about a failure, which must not fail itself. */
export function databaseUrlOrNull(env: NodeJS.ProcessEnv = process.env): string | null {
  try {
    return readDatabaseUrl(env);
  } catch {
    return null;
  }
}

// Of libpq's variables those that say how to trust a server, and a password that is not to be in a URL.
const LIBPQ_VARIABLES = {
  PGSSLMODE: "sslmode",
  PGSSLROOTCERT: "sslrootcert",
  PGSSLCERT: "sslcert",
  PGSSLKEY: "sslkey",
  PGPASSWORD: "password",
};

/** Adds to DATABASE_URL what it does not say itself, so that it alone tells everyone how to connect. */
function withLibpqVariables(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const url = env["DATABASE_URL"];
  if (url === undefined) return env;
  const hasPassword = /^\w+:\/\/[^/?@]*:[^/?@]*@/.test(url);
  const added = Object.entries(LIBPQ_VARIABLES).flatMap(([variable, name]) => {
    const isSaid = new RegExp(`[?&]${name}=`).test(url) || (name === "password" && hasPassword);
    return env[variable] && !isSaid ? [`${name}=${encodeURIComponent(env[variable])}`] : [];
  });
  if (added.length === 0) return env;
  return { ...env, DATABASE_URL: [url, added.join("&")].join(url.includes("?") ? "&" : "?") };
}

/** The environment as it is, for a program that is started with more in it. */
export function environment(): NodeJS.ProcessEnv {
  return process.env;
}

/** Every setting by its name, and what it is where it is not set; `null` for nothing. Not Node's own, which are only checked. */
export function settingDefaults(): ReadonlyMap<string, string | null> {
  const own = Object.entries(schema.shape).filter(([name]) => !name.startsWith("NODE_"));
  return new Map(
    own.map(([name, setting]) => {
      const value: unknown = setting.safeParse(undefined).data;
      if (name === "DATA_DIR") return [name, relative(REPOSITORY, value as string)];
      if (value === undefined) return [name, null];
      if (Array.isArray(value)) return [name, value.length === 0 ? null : value.join(",")];
      return [name, typeof value === "string" ? value : JSON.stringify(value)];
    }),
  );
}
