import { describe, expect, it } from "vitest";
import { readSettings } from "../src/env.ts";

const meantBy = (name: string) => readSettings({ [name]: "hunter2" }).misspelt;

describe("a variable that is no setting", () => {
  it.each([
    ["DATABASE_URI", "DATABASE_URL"],
    ["DATABSE_URL", "DATABASE_URL"],
    ["DATABASE_ULR", "DATABASE_URL"],
    ["DATABASEURL", null],
    ["DATA_BASE_URL", "DATABASE_URL"],
    ["database_url", "DATABASE_URL"],
    ["AUTH_SECRETS", "AUTH_SECRET"],
    ["AUTH_JWK_URL", "AUTH_JWKS_URL"],
    ["UPSTASH_REDIS_URL", "UPSTASH_REDIS_REST_URL"],
    ["UPSTASH_REDIS_TOKEN", "UPSTASH_REDIS_REST_TOKEN"],
    ["CACHE_TTL", "CACHE_TTL_SECONDS"],
    ["TRUSTED_PROXY", null],
    ["DATE_DIR", "DATA_DIR"],
    ["RATE_LIMIT_READ", "RATE_LIMIT_READS"],
  ])("%s is taken for %s", (given, meant) => {
    expect(meantBy(given)).toEqual(meant === null ? [] : [{ given, meant }]);
  });

  it.each([
    "AUTH_URL",
    "AUTH_TOKEN",
    "REDIS_URL",
    "DATABASE_HOST",
    "DATABASE_NAME",
    "DATABASE_URL_TEST",
    "CACHE_DIR",
    "HOSTNAME",
    "HOSTTYPE",
    "HOME",
    "PATH",
    "PORTS",
    "NODE_OPTIONS",
    "NODE_PATH",
    "XDG_DATA_DIRS",
    "npm_config_cache",
  ])("%s is somebody else's", (given) => {
    expect(meantBy(given)).toEqual([]);
  });

  it("is not taken for one that is set", () => {
    const AUTH_SECRET = "x".repeat(32);
    const DATABASE_URL = "postgresql://u:p@host/db";
    expect(readSettings({ DATABASE_URL, AUTH_SECRET, DATABASE_URI: DATABASE_URL }).misspelt).toEqual([]);
  });

  it("is taken for nothing where it is empty", () => {
    expect(readSettings({ DATABASE_URI: "" }).misspelt).toEqual([]);
  });
});
