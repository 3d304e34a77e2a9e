import { describe, expect, it } from "vitest";
import { readSettings } from "../src/env.ts";

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
      DATABASE_URL: "mysql://x",
      SESSION_COOKIE: "a b",
      ROLLUP_BATCH: "1",
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

  it("never repeat a secret in what they tell", () => {
    expect(() => readSettings({ AUTH_SECRET: "hunter2" })).not.toThrow(/hunter2/);
  });
});
