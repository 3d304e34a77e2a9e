import { generateKeyPair } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { UsageStatsError } from "@usage-stats/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { publicKeys, type SessionKeys, verifySessionToken } from "../src/index.ts";
import { type JwksServer, signingKey, startJwksServer } from "./jwks-server.ts";
import { AUDIENCE, INVALID_SESSION, ISSUER, NOW, tokenOf } from "./signed-elsewhere.ts";

let jwks: JwksServer;
let failures: unknown[];
let keys: SessionKeys;

beforeEach(async () => {
  jwks = await startJwksServer();
  jwks.published = [await signingKey("one", "ES256")];
  failures = [];
  const times = { refetchMs: 300, pauseMs: 100, timeoutMs: 200 };
  keys = publicKeys(jwks.url, (error) => failures.push(error), times);
});
afterEach(() => jwks.close());

const verify = (text: string) => verifySessionToken({ keys, issuer: ISSUER, audience: AUDIENCE }, text, NOW);

describe("the keys of sessions that are signed elsewhere", () => {
  it("are fetched once", async () => {
    await Promise.all(Array.from({ length: 20 }, async () => verify(await tokenOf(jwks.published[0]!))));
    expect(jwks.fetches).toBe(1);
  });

  it("may change: a session is good by one that was added since, and refused once its key is gone", async () => {
    const old = jwks.published[0]!;
    await verify(await tokenOf(old));
    jwks.published = [await signingKey("two", "ES256")];
    await sleep(150);
    await verify(await tokenOf(jwks.published[0]!));
    await expect(verify(await tokenOf(old))).rejects.toMatchObject(INVALID_SESSION);
  });

  it("are asked for unknown ones only so often", async () => {
    await verify(await tokenOf(jwks.published[0]!));
    const strange = await tokenOf(await signingKey("strange", "ES256"));
    for (let i = 0; i < 50; i++) await expect(verify(strange)).rejects.toMatchObject(INVALID_SESSION);
    expect(jwks.fetches).toBeLessThan(10);
  });

  it("that nobody can use make the sessions bad that name them, and the good keys go on", async () => {
    const weak = (await promisify(generateKeyPair)("rsa", { modulusLength: 1024 })).publicKey;
    jwks.unusable = [
      { ...weak.export({ format: "jwk" }), kid: "weak", alg: "RS256", use: "sig" },
      // On no curve.
      { kty: "EC", crv: "P-256", x: "A".repeat(43), y: "A".repeat(43), kid: "off", alg: "ES256" },
      { kty: "RSA", n: "AQAB", e: "", kid: "tiny", alg: "RS256" },
      { kty: "OKP", crv: "X25519", x: "A".repeat(43), kid: "wrong use", alg: "EdDSA" },
      { kty: "new", kid: "unknown kind", alg: "ES256" },
      { kty: "EC", crv: "P-256", kid: "empty", alg: "ES256" },
      { kty: "oct", k: "AAAA", kid: "secret", alg: "HS256" },
    ];
    await verify(await tokenOf(jwks.published[0]!));
    const refuse = async (header: { kid?: unknown; alg?: unknown }) => {
      const { kid, alg } = header;
      const [, ...rest] = (await tokenOf(jwks.published[0]!)).split(".");
      const changed = [Buffer.from(JSON.stringify({ kid, alg })).toString("base64url"), ...rest].join(".");
      await expect(verify(changed)).rejects.toMatchObject(INVALID_SESSION);
    };
    for (const header of [...jwks.unusable, { kid: "weak", alg: "PS256" }, { kid: "one", alg: "XX1" }])
      await refuse(header);
    expect(failures).toEqual([]);
    // None of it counts as a failure to fetch: a key that was changed is known as soon as ever.
    await sleep(150);
    for (let i = 0; i < 5; i++) await refuse({ kid: "weak", alg: "RS256" });
    const old = jwks.published[0]!;
    jwks.published = [await signingKey("two", "ES256")];
    await verify(await tokenOf(jwks.published[0]!));
    await expect(verify(await tokenOf(old))).rejects.toMatchObject(INVALID_SESSION);
  });

  it("come from their address alone, of at most a megabyte, in time", async () => {
    await verify(await tokenOf(jwks.published[0]!));
    const next = await signingKey("two", "ES256");
    jwks.published.push(next);
    for (const fault of ["moved", "endless", "slow", "no keys"] as const) {
      jwks.answers = fault;
      await sleep(150);
      const before = jwks.fetches;
      const started = performance.now();
      await expect(verify(await tokenOf(next))).rejects.toMatchObject(INVALID_SESSION);
      expect(performance.now() - started).toBeLessThan(2_000);
      expect(jwks.fetches).toBe(before + 1);
      await verify(await tokenOf(jwks.published[0]!));
    }
    // What lies in sockets is sent, and not more.
    expect(jwks.sentBytes).toBeLessThan(20_000_000);
    // Somebody is told of each; in which words, the server's tests say.
    expect(failures).toMatchObject([
      { code: "unavailable", message: "The address of the keys answers with status 302." },
      { code: "unavailable", message: "The keys are larger than a megabyte." },
      { name: "TimeoutError" },
      { name: "JWKSInvalid", code: "ERR_JWKS_INVALID" },
    ]);
    jwks.answers = "well";
    await sleep(150);
    await verify(await tokenOf(next));
  });

  it.each(["503", "rubbish"] as const)(
    "go on being good while they cannot be fetched (%s)",
    async (fault) => {
      await verify(await tokenOf(jwks.published[0]!));
      jwks.answers = fault;
      await sleep(150);
      // An unknown key has them fetched.
      const unknown = await tokenOf(await signingKey("other", "ES256"));
      await expect(verify(unknown)).rejects.toMatchObject(INVALID_SESSION);
      await verify(await tokenOf(jwks.published[0]!));
    },
  );

  it.each(["503", "rubbish"] as const)(
    "that never could be fetched (%s) tell no good session from a bad one: unavailable",
    async (fault) => {
      jwks.answers = fault;
      const attempt = verify(await tokenOf(jwks.published[0]!));
      await expect(attempt).rejects.toBeInstanceOf(UsageStatsError);
      await expect(attempt).rejects.toMatchObject({ code: "unavailable" });
    },
  );
});
