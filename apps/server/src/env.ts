import { join, relative, resolve } from "node:path";
import { type RecordLimits } from "@usage-stats/api";
import { DEFAULT_BATCH } from "@usage-stats/db";
import { z } from "zod";
import { type RateLimitSettings } from "./limits/rate-limits.ts";
import { OperatorError } from "./operator-error.ts";

const REPOSITORY = resolve(import.meta.dirname, "../../..");

const whole = ({ min, max }: { min: number; max: number }) =>
  z.coerce
    .number({ error: "must be a number" })
    .int("must be a whole number")
    .min(min, `must be at least ${min}`)
    .max(max, `must be at most ${max}`);

const port = whole({ min: 0, max: 65_535 });

const schema = z
  .object({
    PORT: port.default(3000),
    HOST: z.string().min(1).default("127.0.0.1"),
    DATA_DIR: z.string().min(1).default(join(REPOSITORY, ".data")),
    DATABASE_URL: z
      .url({
        protocol: /^postgres(ql)?$/,
        error: "must be a URL such as postgresql://user:password@host:5432/name",
      })
      .optional(),
    DEMO: z.enum(["on", "off"]).default("on"),
    AUTH_SECRET: z
      .string()
      .min(32, "must have at least 32 characters (openssl rand -base64 32 makes one)")
      .optional(),
    AUTH_JWKS_URL: z
      .url({ protocol: /^https?$/, error: "must be a URL such as https://id.example/jwks" })
      .optional(),
    AUTH_ISSUER: z.string().min(1).optional(),
    AUTH_AUDIENCE: z.string().min(1).optional(),
    ROLLUP_BATCH: whole({ min: 100, max: 20_000 }).default(DEFAULT_BATCH),
    CACHE: z.enum(["on", "off", "bridge"]).default("on"),
    CACHE_TTL_SECONDS: whole({ min: 1, max: 3_600 }).default(300),
    CACHE_MEMORY_MB: whole({ min: 1, max: 16_384 }).default(64),
    CACHE_DEADLINE_MS: whole({ min: 5, max: 5_000 }).default(50),
    CACHE_WARMING: z.enum(["on", "off"]).default("off"),
    UPSTASH_REDIS_REST_URL: z
      .url({ protocol: /^https?$/, error: "must be a URL such as https://eu1-name.upstash.io" })
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
  cacheWarming: boolean;
  recordLimits: RecordLimits;
  maxIngestBytes: number;
  /** `null` for no limits. */
  rateLimits: RateLimitSettings | null;
  trustedProxies: number;
  corsOrigins: string[];
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
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ""));
  const result = schema.safeParse(given);
  if (!result.success) {
    const problems = result.error.issues.map(({ path, message }) => `  ${path.join(".")}: ${message}`);
    throw new OperatorError(["These settings are not right:", ...new Set(problems)].join("\n"));
  }
  const checked = result.data;
  return {
    port: checked.PORT,
    host: checked.HOST,
    dataDir: resolve(checked.DATA_DIR),
    databaseUrl: checked.DATABASE_URL,
    demo: checked.DEMO === "on",
    authSecret: checked.AUTH_SECRET,
    authJwksUrl: checked.AUTH_JWKS_URL === undefined ? undefined : new URL(checked.AUTH_JWKS_URL),
    authIssuer: checked.AUTH_ISSUER,
    authAudience: checked.AUTH_AUDIENCE,
    sessionCookie: checked.SESSION_COOKIE,
    rollupBatch: checked.ROLLUP_BATCH,
    cache: cacheChoice(checked),
    cacheTtlMs: checked.CACHE_TTL_SECONDS * 1000,
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
  const result = schema.shape.DATABASE_URL.unwrap().safeParse(env["DATABASE_URL"]);
  if (result.success) return result.data;
  throw new OperatorError(
    "DATABASE_URL is not set. `npm run -s mikro-orm …` in the top folder finds the embedded database by itself.",
  );
}

/** The environment as it is, for a program that is started with more in it. */
export function environment(): NodeJS.ProcessEnv {
  return process.env;
}

/** Every setting by its name, and what it is where it is not set; `null` for nothing. */
export function settingDefaults(): ReadonlyMap<string, string | null> {
  return new Map(
    Object.entries(schema.shape).map(([name, setting]) => {
      const value: unknown = setting.safeParse(undefined).data;
      if (name === "DATA_DIR") return [name, relative(REPOSITORY, String(value))];
      const isNothing = value === undefined || (Array.isArray(value) && value.length === 0);
      return [name, isNothing ? null : String(value)];
    }),
  );
}
