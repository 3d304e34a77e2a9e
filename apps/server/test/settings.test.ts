import { describe, expect, it } from "vitest";
import { refuseAccidentalDatabase } from "../src/data-folder/refuse-accidental-database.ts";
import { hintsOnNames, readSettings, tagsSetting } from "../src/env.ts";

const SECRET = "x".repeat(32);

describe("settings", () => {
  it("have defaults that need nothing", () => {
    expect(readSettings({})).toMatchObject({
      port: 3000,
      host: "127.0.0.1",
      demo: true,
      databaseUrl: undefined,
      sessionCookie: "login_token",
    });
  });

  it("count an empty variable as not set", () => {
    expect(readSettings({ PORT: "", DATABASE_URL: "" })).toMatchObject({
      port: 3000,
      databaseUrl: undefined,
    });
  });

  it("tell every problem at once, by name", () => {
    const env = {
      PORT: "99999",
      DEMO: "yes",
      EMBEDDED: "maybe",
      DATABASE_URL: "mysql://x",
      SESSION_COOKIE: "a b",
      ROLLUP_BATCH: "1",
      CACHE: "yes",
      CACHE_TTL_SECONDS: "0",
      CACHE_MEMORY_MB: "1e9",
      CACHE_DEADLINE_MS: "1",
      CACHE_EAR_SECONDS: "0",
      CACHE_WARMING: "maybe",
      AUTH_SECRET: "short",
    };
    const attempt = () => readSettings(env);
    for (const name of Object.keys(env)) expect(attempt).toThrow(name);
  });

  it("require a secret with a database of one's own, and say so beside the other problems", () => {
    const env = { DATABASE_URL: "postgresql://u:p@host/db", PORT: "x" };
    expect(() => readSettings(env)).toThrow(/AUTH_SECRET: is required/);
    expect(() => readSettings(env)).toThrow(/PORT/);
    expect(readSettings({ DATABASE_URL: env.DATABASE_URL, AUTH_SECRET: SECRET }).databaseUrl).toBe(
      env.DATABASE_URL,
    );
  });

  it("take public keys instead of a secret, not beside one", () => {
    const AUTH_JWKS_URL = "https://id.example/jwks";
    const DATABASE_URL = "postgresql://u:p@host/db";
    expect(readSettings({ DATABASE_URL, AUTH_JWKS_URL, AUTH_ISSUER: "i", AUTH_AUDIENCE: "a" })).toMatchObject(
      { authJwksUrl: new URL(AUTH_JWKS_URL), authIssuer: "i", authAudience: "a" },
    );
    expect(() => readSettings({ AUTH_JWKS_URL, AUTH_SECRET: SECRET })).toThrow(
      /AUTH_JWKS_URL: cannot be set together/,
    );
    expect(() => readSettings({ AUTH_JWKS_URL: "file:///etc/passwd" })).toThrow(
      /AUTH_JWKS_URL: must be a URL/,
    );
  });

  it("limit what anyone does, unless that is off, and let in the origins that are listed", () => {
    expect(readSettings({})).toMatchObject({
      rateLimits: { budgets: { read: 120, write: 600, export: 6 }, address: 6_000, failures: 10 },
      trustedProxies: 0,
      corsOrigins: [],
    });
    expect(readSettings({ RATE_LIMITS: "off" }).rateLimits).toBeNull();
    const CORS_ORIGINS = "https://a.example, http://localhost:5173";
    expect(readSettings({ CORS_ORIGINS }).corsOrigins).toEqual([
      "https://a.example",
      "http://localhost:5173",
    ]);
    for (const bad of ["*", "a.example", "https://a.example/", "https://a.example,", "null"])
      expect(() => readSettings({ CORS_ORIGINS: bad })).toThrow(/CORS_ORIGINS: must be origins/);
    expect(() => readSettings({ RATE_LIMIT_READS: "0" })).toThrow(/RATE_LIMIT_READS: must be at least 1/);
  });

  it("declare tags, of which each is a name of its own", () => {
    expect(readSettings({}).recordLimits.tags).toEqual([]);
    expect(readSettings({ TAGS: "team, project_2" }).recordLimits.tags).toEqual(["team", "project_2"]);
    const eight = Array.from({ length: 8 }, (_, i) => `t${i}`).join(",");
    expect(readSettings({ TAGS: eight }).recordLimits.tags).toHaveLength(8);
    expect(tagsSetting({ TAGS: "team" })).toEqual(["team"]);
    expect(tagsSetting({ TAGS: "" })).toEqual([]);
    for (const bad of [
      "Team",
      "2nd",
      "a-b",
      "a b",
      "team,,project",
      "_a",
      `a${"b".repeat(32)}`,
      `${eight},t8`,
      "a,a",
    ]) {
      expect(() => readSettings({ TAGS: bad })).toThrow(/^.*\n {2}TAGS: must/);
      expect(() => tagsSetting({ TAGS: bad })).toThrow(/^TAGS: must/);
    }
  });

  it("keep answers in the process, unless something else is chosen", () => {
    const upstash = { UPSTASH_REDIS_REST_URL: "https://eu1.upstash.io", UPSTASH_REDIS_REST_TOKEN: "t" };
    expect(readSettings({})).toMatchObject({
      cache: { kind: "in-process", maxBytes: 64_000_000 },
      cacheTtlMs: 300_000,
      earMs: 3_000,
      cacheWarming: false,
    });
    expect(readSettings({ CACHE_MEMORY_MB: "5", CACHE_TTL_SECONDS: "9" })).toMatchObject({
      cache: { maxBytes: 5_000_000 },
      cacheTtlMs: 9_000,
    });
    expect(readSettings({ ...upstash, CACHE_DEADLINE_MS: "20" }).cache).toEqual({
      kind: "upstash",
      url: "https://eu1.upstash.io",
      token: "t",
      deadlineMs: 20,
    });
    expect(readSettings({ CACHE: "bridge" }).cache).toEqual({ kind: "bridge", deadlineMs: 50 });
    expect(readSettings({ ...upstash, CACHE: "off" }).cache).toEqual({ kind: "off" });
  });

  it("want Upstash's address and its token together, and no bridge beside it", () => {
    const address = { UPSTASH_REDIS_REST_URL: "https://eu1.upstash.io" };
    expect(() => readSettings(address)).toThrow(/UPSTASH_REDIS_REST_TOKEN: belongs with/);
    expect(() => readSettings({ UPSTASH_REDIS_REST_TOKEN: "t" })).toThrow(/set both, or neither/);
    expect(() => readSettings({ ...address, UPSTASH_REDIS_REST_TOKEN: "t", CACHE: "bridge" })).toThrow(
      /CACHE: cannot be bridge/,
    );
    expect(() =>
      readSettings({ UPSTASH_REDIS_REST_URL: "redis://x", UPSTASH_REDIS_REST_TOKEN: "t" }),
    ).toThrow(/UPSTASH_REDIS_REST_URL: must be a URL/);
  });

  it.each(["AUTH_JWKS_URL", "UPSTASH_REDIS_REST_URL"])(
    "send nothing to %s in plain text but on this machine",
    (name) => {
      const env = (url: string) => ({
        [name]: url,
        ...(name === "UPSTASH_REDIS_REST_URL" && { UPSTASH_REDIS_REST_TOKEN: "t" }),
      });
      for (const url of [
        "https://id.example",
        "http://localhost:80",
        "http://127.0.0.2:80/x",
        "http://[::1]:80",
      ])
        expect(() => readSettings(env(url))).not.toThrow();
      for (const url of [
        "http://id.example/x",
        "http://10.0.0.5",
        "http://localhost.example",
        "http://[::2]/",
      ])
        expect(() => readSettings(env(url))).toThrow(new RegExp(`${name}: must begin with https://`));
      expect(() =>
        readSettings({ ...env("http://bridge:8079"), PLAIN_HTTP_HOSTS: "other, bridge" }),
      ).not.toThrow();
      expect(() => readSettings({ ...env("http://bridge:8079"), PLAIN_HTTP_HOSTS: "bridg" })).toThrow(name);
      const withPassword = () => readSettings(env("https://user:hunter2@id.example"));
      expect(withPassword).toThrow(`${name}: must hold no user or password`);
      expect(withPassword).not.toThrow(/hunter2/);
    },
  );

  it("never trust every certificate", () => {
    expect(() => readSettings({ NODE_TLS_REJECT_UNAUTHORIZED: "0" })).toThrow(/NODE_EXTRA_CA_CERTS/);
    expect(() => readSettings({ NODE_TLS_REJECT_UNAUTHORIZED: "1" })).not.toThrow();
  });

  it("add to DATABASE_URL what libpq's variables say and it does not", () => {
    const databaseUrl = (env: Record<string, string>) =>
      readSettings({ AUTH_SECRET: SECRET, DATABASE_URL: "postgresql://u@h/d", ...env }).databaseUrl;
    expect(databaseUrl({ PGSSLMODE: "require" })).toBe("postgresql://u@h/d?sslmode=require");
    expect(databaseUrl({ PGPASSWORD: "p@s" })).toBe("postgresql://u@h/d?password=p%40s");
    const DATABASE_URL = "postgresql://u:p@h/d?sslmode=disable";
    expect(databaseUrl({ DATABASE_URL, PGSSLMODE: "require", PGPASSWORD: "x" })).toBe(DATABASE_URL);
    expect(() => databaseUrl({ PGSSLMODE: "prefer" })).toThrow(/DATABASE_URL: sslmode=prefer/);
    expect(() => databaseUrl({ PGSSLMODE: "verify-full", PGSSLROOTCERT: "/no/ca.crt" })).toThrow(
      /\/no\/ca\.crt/,
    );
    expect(readSettings({ PGSSLMODE: "prefer" }).databaseUrl).toBeUndefined();
  });

  it("never repeat a secret in what they tell", () => {
    expect(() => readSettings({ AUTH_SECRET: "hunter2" })).not.toThrow(/hunter2/);
    expect(() => readSettings({ UPSTASH_REDIS_REST_TOKEN: "hunter2" })).not.toThrow(/hunter2/);
  });

  it("do not ask for the embedded database beside another", () => {
    const env = { DATABASE_URL: "postgresql://u:p@host/db", AUTH_SECRET: SECRET, EMBEDDED: "on" };
    expect(() => readSettings(env)).toThrow(/EMBEDDED: cannot be on where DATABASE_URL is set/);
    expect(readSettings({ ...env, EMBEDDED: "off" }).embedded).toBe(false);
    expect(readSettings({}).embedded).toBeNull();
  });
});

describe("a name that is nearly a setting's", () => {
  it.each([
    ["DATABASE_URI", "DATABASE_URL"],
    ["DATABSE_URL", "DATABASE_URL"],
    ["DATABAES_URL", "DATABASE_URL"],
    ["DATABASEURL", "DATABASE_URL"],
    ["database_url", "DATABASE_URL"],
    ["POSTGRES_URL", "DATABASE_URL"],
    ["UPSTASH_REDIS_URL", "UPSTASH_REDIS_REST_URL"],
    ["UPSTASH_REDIS_TOKEN", "UPSTASH_REDIS_REST_TOKEN"],
    ["AUTH_SECRT", "AUTH_SECRET"],
    ["JWT_SECRET", "AUTH_SECRET"],
    ["AUTH_JWKS", "AUTH_JWKS_URL"],
    ["TRUSTED_PROXY", "TRUSTED_PROXIES"],
    ["RATE_LIMIT", "RATE_LIMITS"],
    ["CORS_ORIGIN", "CORS_ORIGINS"],
    ["CACHE_TTL", "CACHE_TTL_SECONDS"],
  ])("(%s) is told, never its value", (given, meant) => {
    expect(hintsOnNames({ [given]: "hunter2" })).toEqual([
      `settings: ${given} is set, which is none: did you mean ${meant}?`,
    ]);
  });

  it("is told beside what is not right because of it", () => {
    const env = { DATABASE_URL: "postgresql://u:p@host/db", AUTH_SECRT: "hunter2" };
    expect(() => readSettings(env)).toThrow(/AUTH_SECRET: is required.*\nsettings: AUTH_SECRT is set/);
    expect(() => readSettings(env)).not.toThrow(/hunter2/);
  });

  it("is nobody's business where it is empty, what is meant is set, or it is like many others", () => {
    expect(hintsOnNames({ DATABASE_URI: "" })).toEqual([]);
    expect(hintsOnNames({ POSTGRES_URL: "x", DATABASE_URI: "x", DATABASE_URL: "x" })).toEqual([]);
    const usual =
      "PATH HOME HOSTNAME USER SHELL LANG TERM PWD TZ NODE_ENV NODE_OPTIONS XPORT HOSTS DEMOS CI TMPDIR DATA_DOG PGHOST";
    expect(hintsOnNames(Object.fromEntries(usual.split(" ").map((name) => [name, "x"])))).toEqual([]);
    expect(hintsOnNames({ ...process.env })).toEqual([]);
  });
});

describe("the embedded database", () => {
  const refusalOf = (env: Record<string, string>) => {
    try {
      refuseAccidentalDatabase(readSettings(env));
      return null;
    } catch (error) {
      return (error as Error).message;
    }
  };

  it.each([
    [{ AUTH_SECRET: SECRET }, "AUTH_SECRET is set"],
    [{ AUTH_JWKS_URL: "https://id.example/jwks" }, "AUTH_JWKS_URL is set"],
    [{ NODE_ENV: "production" }, "NODE_ENV is production"],
    [{ HOST: "0.0.0.0" }, "HOST is an address that others can reach"],
    [{ HOST: "::" }, "HOST is an address that others can reach"],
    [{ HOST: "127.evil.example" }, "HOST is an address that others can reach"],
    [
      { UPSTASH_REDIS_REST_URL: "https://x.upstash.io", UPSTASH_REDIS_REST_TOKEN: "hunter2" },
      "UPSTASH_REDIS_REST_URL is set",
    ],
    [{ EMBEDDED: "off" }, "EMBEDDED is off"],
  ])("is refused where it would be a mistake, unless it is asked for: %j", (env, reason) => {
    expect(refusalOf(env)).toBe(
      `${reason}, but no DATABASE_URL is set; set it, or EMBEDDED=on to really use the embedded demo database.`,
    );
    if (!("EMBEDDED" in env)) expect(refusalOf({ ...env, EMBEDDED: "on" })).toBeNull();
  });

  it.each([{}, { HOST: "localhost" }, { HOST: "127.0.0.2" }, { HOST: "::1" }, { NODE_ENV: "development" }])(
    "is used where nothing speaks against it: %j",
    (env) => {
      expect(refusalOf(env)).toBeNull();
    },
  );
});
