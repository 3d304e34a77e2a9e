import { describe, expect, it } from "vitest";
import { embeddedRefusal } from "../../src/data-folder/embedded-refusal.ts";
import { readSettings } from "../../src/env.ts";

const AUTH_SECRET = "x".repeat(32);
const refusalOf = (env: Record<string, string>) => embeddedRefusal(readSettings(env));

describe("the embedded database", () => {
  it.each([
    {},
    { HOST: "localhost" },
    { HOST: "127.0.0.1" },
    { HOST: "127.1.2.3" },
    { HOST: "::1" },
    { HOST: "::ffff:127.0.0.1" },
    { NODE_ENV: "development" },
    { NODE_ENV: "test" },
    { CACHE: "bridge" },
  ])("is there without being asked for with %j", (env) => {
    expect(refusalOf(env)).toBeNull();
  });

  it.each([
    [{ AUTH_SECRET }, "AUTH_SECRET"],
    [{ AUTH_JWKS_URL: "https://id.example/jwks" }, "AUTH_JWKS_URL"],
    [{ NODE_ENV: "production" }, "NODE_ENV"],
    [{ HOST: "0.0.0.0" }, "HOST"],
    [{ HOST: "::" }, "HOST"],
    [{ HOST: "10.0.0.1" }, "HOST"],
    [{ HOST: "usage.example" }, "HOST"],
    [{ HOST: "localhost.example" }, "HOST"],
    [{ EMBEDDED: "off" }, "EMBEDDED"],
    [
      { UPSTASH_REDIS_REST_URL: "https://x.upstash.io", UPSTASH_REDIS_REST_TOKEN: "hunter2" },
      "UPSTASH_REDIS_REST_URL",
    ],
  ])("stands in for no other with %j, unless it is asked for", (env, named) => {
    const refusal = refusalOf(env);
    expect(refusal).toMatch(/^No DATABASE_URL is set, and .* EMBEDDED=on to really use/);
    expect(refusal).toContain(named);
    expect(refusal).not.toMatch(/hunter2|xxxx/);
    expect(refusalOf({ ...env, EMBEDDED: "on" })).toBeNull();
  });

  it("is not asked for beside a database of one's own", () => {
    const env = { DATABASE_URL: "postgresql://u:p@host/db", AUTH_SECRET, EMBEDDED: "on" };
    expect(() => readSettings(env)).toThrow(/EMBEDDED: cannot be on where DATABASE_URL is set/);
  });
});
