import { join, resolve } from "node:path";
import { ConnectionRefusal, connectionTarget, DEFAULT_BATCH } from "@usage-stats/db";
import { isTagName, MAX_TAGS } from "@usage-stats/core";
import * as z from "zod";
import { serviceUrl } from "../service-url.ts";
import { list, onOrOff, type Setting, whole } from "./setting.ts";

/** The folder that this program is in; `DATA_DIR` is a folder of it unless it is set. */
export const REPOSITORY = resolve(import.meta.dirname, "../../../..");

/** Refuses by name what cannot be honoured of it. */
const databaseUrl = z.string().superRefine((url, { addIssue }) => {
  try {
    connectionTarget(url);
  } catch (error) {
    if (!(error instanceof ConnectionRefusal)) throw error;
    addIssue({ code: "custom", message: error.message.replace(/^DATABASE_URL:? /, "") });
  }
});

const connections = whole({ min: 1, max: 1_000 });
const aMinute = whole({ min: 1, max: 1_000_000 });

/**
 * Every setting, in the order in which they are shown. `serve --help`, `.env.example` and the table in docs/operating.md are made of it;
 * what several settings must be together is in `check-settings.ts`.
 */
export const SETTINGS = {
  DATABASE_URL: {
    schema: databaseUrl.optional(),
    about: "your own Postgres; nothing is embedded then",
    more: "It is 15 or newer: `postgresql://user:password@host:5432/name`. [Connecting](#connecting) says what it may hold",
  },
  DATABASE_POOL_REPORTS: {
    schema: connections.default(7),
    about: "connections at the most for reports",
    more: "Also for rankings and exports",
  },
  DATABASE_POOL_LISTS: {
    schema: connections.default(3),
    about: "for lists, searches and exports of calls",
  },
  DATABASE_POOL_INGEST: { schema: connections.default(6), about: "for recording calls" },
  DATABASE_POOL_IDENTITY: {
    schema: connections.default(2),
    about: "for keys, and for /ready",
    more: "Also for the secret of viewer tokens",
  },
  DATABASE_POOL_WORKER: {
    schema: whole({ min: 2, max: 1_000 }).default(4),
    about: "for migrations and rolling up",
    more: "Also for rebuilds",
  },
  DATABASE_POOL_WAIT_MS: {
    schema: whole({ min: 50, max: 10_000 }).default(2_000),
    about: "how long a connection is waited for, in milliseconds",
  },
  AUTH_SECRET: {
    schema: z
      .string()
      .min(32, "must have at least 32 characters (openssl rand -base64 32 makes one)")
      .optional(),
    about: "signs tokens, 32 characters or more; required with DATABASE_URL",
    more: "By HS256. For the embedded database one is made, and kept in `DATA_DIR`",
  },
  AUTH_JWKS_URL: {
    schema: serviceUrl("https://id.example/jwks").optional(),
    about: "instead of AUTH_SECRET: where the public keys are that sign tokens",
    more: "By RS, PS, ES or EdDSA. They are fetched every ten minutes (a megabyte at most, three seconds, no redirects), good for a day where they cannot be",
  },
  AUTH_ISSUER: {
    schema: z.string().min(1).optional(),
    about: "what a token's iss has to be",
    more: "Set it and `AUTH_AUDIENCE` where one identity provider serves several apps",
  },
  AUTH_AUDIENCE: { schema: z.string().min(1).optional(), about: "what a token's aud has to be" },
  SESSION_COOKIE: {
    schema: z
      .string()
      .regex(/^[\w!#$%&'*+.^`|~-]+$/, "must be a cookie name")
      .default("login_token"),
    about: "the cookie that holds a session token",
    more: "Read where there is no `Authorization: Bearer`",
  },
  PORT: { schema: whole({ min: 0, max: 65_535 }).default(3000), about: "where it listens" },
  HOST: {
    schema: z.string().min(1).default("127.0.0.1"),
    about: "on which address; 0.0.0.0 for every one of the machine",
  },
  REQUEST_DEADLINE_MS: {
    // What a client that waits 30 s is promised: with a statement of ten seconds that begins at the last moment, it is 28.
    schema: whole({ min: 100, max: 18_000 }).default(15_000),
    about: "how long a request may wait for everything together, in milliseconds",
    more: "From its arrival on. [Waits](#waits)",
  },
  STATEMENTS_PER_IDENTITY: {
    schema: whole({ min: 1, max: 1_000 }).default(3),
    about: "statements that one identity may have running at once",
    more: "That is reports and rankings of one person or key, and of lists, of which there is one fewer than connections at the most",
  },
  DRAIN_MS: {
    schema: whole({ min: 0, max: 600_000 }).default(1_000),
    about: "how long requests are still taken after SIGTERM, in milliseconds",
  },
  SHUTDOWN_DEADLINE_MS: {
    schema: whole({ min: 100, max: 3_600_000 }).default(25_000),
    about: "after this long it ends, whatever hangs, in milliseconds",
  },
  DATA_DIR: {
    schema: z.string().min(1).default(join(REPOSITORY, ".data")),
    about: "the embedded database, its password and the secret",
  },
  EMBEDDED: {
    schema: onOrOff.optional(),
    about: "on: the embedded database also where other settings say real use; off: never",
    more: "Those are `AUTH_SECRET`, `AUTH_JWKS_URL`, an Upstash Redis, a `HOST` that others can reach and `NODE_ENV=production`; the embedded database is refused there otherwise",
  },
  DEMO: {
    schema: onOrOff.default("on"),
    about: "off leaves an empty embedded database empty",
    more: "A database of your own is never filled",
  },
  ROLLUP_BATCH: {
    schema: whole({ min: 100, max: 20_000 }).default(DEFAULT_BATCH),
    about: "quarters of an hour that one transaction rolls up",
  },
  CACHE: {
    schema: z.enum(["on", "off", "bridge"]).default("on"),
    about: "where answers are kept: on, off, or bridge, a local stand-in for Upstash",
    more: "`off` keeps nothing; `bridge` is for trying things",
  },
  CACHE_MEMORY_MB: {
    schema: whole({ min: 1, max: 16_384 }).default(64),
    about: "megabytes for answers in this process, where there is no Upstash",
  },
  CACHE_TTL_SECONDS: {
    schema: whole({ min: 1, max: 3_600 }).default(300),
    about: "how long an answer is kept at most, in seconds",
    more: "What changes is not given out before that either",
  },
  CACHE_EAR_SECONDS: {
    schema: whole({ min: 1, max: 60 }).default(3),
    about: "how old the last proof may be that changes are heard, in seconds",
    more: "What others write goes unheard for that long at most; once in a third of it each server sends one NOTIFY",
  },
  CACHE_DEADLINE_MS: {
    schema: whole({ min: 5, max: 5_000 }).default(50),
    about: "how long Upstash may keep an answer waiting, in milliseconds",
    more: "After that it is made without",
  },
  CACHE_WARMING: {
    schema: onOrOff.default("off"),
    about: "on: what was asked lately is asked again after a change",
    more: "What was asked in the last half hour, after its user's calls changed or were rolled up",
  },
  UPSTASH_REDIS_REST_URL: {
    schema: serviceUrl("https://eu1-name.upstash.io").optional(),
    about: "a cache that several servers share",
    more: "An Upstash Redis, shared by all servers that have it",
  },
  UPSTASH_REDIS_REST_TOKEN: { schema: z.string().min(1).optional(), about: "its token; both or neither" },
  PLAIN_HTTP_HOSTS: {
    schema: list().default([]),
    about: "hosts of it and of AUTH_JWKS_URL that need no TLS, separated by commas",
    more: "For those to which the way is safe; to this machine it always is",
  },
  INGEST_MAX_CALLS: {
    schema: whole({ min: 1, max: 20_000 }).default(5_000),
    about: "calls of one request",
  },
  INGEST_MAX_BYTES: {
    schema: whole({ min: 10_000, max: 64_000_000 }).default(4_000_000),
    about: "bytes of one request, packed and unpacked",
  },
  INGEST_OLDEST_DAYS: {
    schema: whole({ min: 1, max: 10_000 }).default(400),
    about: "older calls are rejected, in days",
    more: "So are calls more than five minutes ahead",
  },
  TAGS: {
    schema: list()
      .refine(
        (names) => names.every(isTagName),
        "must be names separated by commas, such as team,project: a letter from a to z, and up to 31 more letters, digits and _",
      )
      .refine((names) => new Set(names).size === names.length, "must not name a tag twice")
      .refine((names) => names.length <= MAX_TAGS, `must name at most ${MAX_TAGS} tags`)
      .default([]),
    about: `tags that a call may have, at most ${MAX_TAGS} names separated by commas`,
    more: "Such as `team,project,feature`. A call with any other is rejected. [Tags](#tags-keys-and-runs)",
  },
  RATE_LIMITS: { schema: onOrOff.default("on"), about: "off limits nobody" },
  RATE_LIMIT_READS: {
    schema: aMinute.default(120),
    about: "reads of one person a minute; ten times as many by a key",
  },
  RATE_LIMIT_WRITES: {
    schema: aMinute.default(600),
    about: "writes of one person a minute",
    more: "Ten times as many by a key",
  },
  RATE_LIMIT_EXPORTS: {
    schema: aMinute.default(6),
    about: "exports of one person a minute",
    more: "Ten times as many by a key",
  },
  RATE_LIMIT_ADDRESS: { schema: aMinute.default(6_000), about: "requests from one address a minute" },
  RATE_LIMIT_FAILURES: {
    schema: aMinute.default(10),
    about: "bad tokens or keys from one address a minute",
  },
  TRUSTED_PROXIES: {
    schema: whole({ min: 0, max: 10 }).default(0),
    about: "reverse proxies in front, each of which adds to X-Forwarded-For",
    more: "What stands left of theirs is not believed",
  },
  CORS_ORIGINS: {
    schema: list()
      .refine(
        (origins) => origins.every((origin) => URL.canParse(origin) && new URL(origin).origin === origin),
        "must be origins such as https://app.example, separated by commas",
      )
      .default([]),
    about: "origins whose pages may read answers, separated by commas",
    more: "Each exactly as it is listed",
  },
} satisfies Record<string, Setting>;

/** Node's own variables, which are checked, but are no settings of ours. */
export const NODE_VARIABLES = {
  NODE_ENV: z.string().optional(),
  NODE_TLS_REJECT_UNAUTHORIZED: z
    .string()
    .refine(
      (value) => value !== "0",
      "0 would trust every certificate; name the authority's file in NODE_EXTRA_CA_CERTS instead",
    )
    .optional(),
};
