import { once } from "node:events";
import { generateKeyPair as generateKeyPairOf } from "node:crypto";
import { createServer, type Server, type ServerResponse } from "node:http";
import { type AddressInfo } from "node:net";
import { promisify } from "node:util";
import { UsageStatsError } from "@usage-stats/core";
import {
  type CryptoKey,
  exportJWK,
  exportSPKI,
  generateKeyPair,
  type JWK,
  SignJWT,
  UnsecuredJWT,
} from "jose";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { publicKeys, type SessionKeys } from "@usage-stats/identity";
import { describeFailure } from "../src/failures/describe-failure.ts";
import { verifySessionToken } from "@usage-stats/identity";

const NOW = new Date("2025-06-20T12:00:00Z");
const ISSUER = "https://id.example";
const AUDIENCE = "usage-stats";

type Pair = { kid: string; alg: string; privateKey: CryptoKey; publicKey: CryptoKey };

async function pair(kid: string, alg: string): Promise<Pair> {
  return { kid, alg, ...(await generateKeyPair(alg, { extractable: true })) };
}

let server: Server;
let published: Pair[];
let answers: "well" | "503" | "rubbish" | "never" | "endless" | "slow" | "moved" | "no keys";
/** Published beside the good keys. */
let unusable: JWK[];
let fetches: number;
let failures: unknown[];
let keys: SessionKeys;

beforeEach(async () => {
  published = [await pair("one", "ES256")];
  answers = "well";
  unusable = [];
  fetches = 0;
  server = createServer(({ url }, response) => {
    fetches += 1;
    if (answers === "never") return;
    if (answers === "endless") return endless(response);
    if (answers === "slow") return void response.write('{"keys":[');
    if (answers === "no keys") return void response.end('{"keys":[1]}');
    if (answers === "moved" && url === "/jwks")
      return void response.writeHead(302, { location: "/moved" }).end();
    if (answers === "503") response.writeHead(503).end("<h1>down</h1>");
    else if (answers === "rubbish") response.end("<h1>sign in</h1>");
    else
      void Promise.all(
        published.map(async ({ kid, alg, publicKey }) => ({
          ...(await exportJWK(publicKey)),
          kid,
          alg,
          use: "sig",
        })),
      ).then((jwks) =>
        response
          .setHeader("content-type", "application/json")
          .end(JSON.stringify({ keys: [...jwks, ...unusable] })),
      );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`);
  failures = [];
  keys = publicKeys(url, (error) => failures.push(error), { refetchMs: 300, pauseMs: 100, timeoutMs: 200 });
});

let sentBytes = 0;
/** Spaces, until somebody has had enough of them. */
function endless(response: ServerResponse): void {
  sentBytes = 0;
  const space = Buffer.alloc(65_536, " ");
  const more = () => {
    while (!response.destroyed) {
      sentBytes += space.length;
      if (!response.write(space)) break;
    }
  };
  response.on("drain", more);
  more();
}

afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, "close");
});

const token = ({ kid, alg, privateKey }: Pair, change: (jwt: SignJWT) => SignJWT = (jwt) => jwt) =>
  change(
    new SignJWT({ role: "user" })
      .setProtectedHeader({ alg, kid })
      .setSubject("did:abt:z1alice")
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setExpirationTime(new Date(NOW.getTime() + 60_000)),
  ).sign(privateKey);

const verify = (text: string) => verifySessionToken({ keys, issuer: ISSUER, audience: AUDIENCE }, text, NOW);
const refused = { code: "invalid_token", message: "The session is not valid." };

describe("a session signed elsewhere", () => {
  it.each(["RS256", "PS256", "ES256", "ES384", "EdDSA"])("is good, by %s", async (alg) => {
    published = [await pair("key", alg)];
    expect((await verify(await token(published[0]!))).identity).toEqual({
      subject: "user did:abt:z1alice",
      onlyApps: null,
      keyId: null,
      userDid: "did:abt:z1alice",
      scopes: ["stats:read"],
    });
  });

  it("is checked with keys that are fetched once", async () => {
    await Promise.all(Array.from({ length: 20 }, async () => verify(await token(published[0]!))));
    expect(fetches).toBe(1);
  });

  it.each([
    ["another issuer", async () => token(published[0]!, (jwt) => jwt.setIssuer("https://evil.example"))],
    ["another audience", async () => token(published[0]!, (jwt) => jwt.setAudience("other"))],
    [
      "the past",
      async () => token(published[0]!, (jwt) => jwt.setExpirationTime(new Date(NOW.getTime() - 60_000))),
    ],
    ["an unknown key", async () => token(await pair("unknown", "ES256"))],
    ["a key that only claims to be known", async () => token(await pair("one", "ES256"))],
    [
      "nobody",
      async () =>
        new UnsecuredJWT({})
          .setSubject("a")
          .setIssuer(ISSUER)
          .setAudience(AUDIENCE)
          .setExpirationTime("1h")
          .encode(),
    ],
    [
      "the public key as a secret",
      async () =>
        new SignJWT({})
          .setProtectedHeader({ alg: "HS256", kid: "one" })
          .setSubject("a")
          .setIssuer(ISSUER)
          .setAudience(AUDIENCE)
          .setExpirationTime(new Date(NOW.getTime() + 60_000))
          .sign(new TextEncoder().encode(await exportSPKI(published[0]!.publicKey))),
    ],
  ])("is refused in the same words when it is of %s", async (_, make) => {
    await expect(verify(await make())).rejects.toMatchObject(refused);
  });

  it("is good by a key that was added since, and refused once its key is gone", async () => {
    const old = published[0]!;
    await verify(await token(old));
    published = [await pair("two", "ES256")];
    await new Promise((resolve) => setTimeout(resolve, 150));
    await verify(await token(published[0]!));
    await expect(verify(await token(old))).rejects.toMatchObject(refused);
  });

  it("asks for unknown keys only so often", async () => {
    await verify(await token(published[0]!));
    const strange = await token(await pair("strange", "ES256"));
    for (let i = 0; i < 50; i++) await expect(verify(strange)).rejects.toMatchObject(refused);
    expect(fetches).toBeLessThan(10);
  });

  it("is refused as bad where it names a key that nobody can use, and the good keys go on", async () => {
    const weak = (await promisify(generateKeyPairOf)("rsa", { modulusLength: 1024 })).publicKey;
    unusable = [
      { ...weak.export({ format: "jwk" }), kid: "weak", alg: "RS256", use: "sig" },
      // On no curve.
      { kty: "EC", crv: "P-256", x: "A".repeat(43), y: "A".repeat(43), kid: "off", alg: "ES256" },
      { kty: "RSA", n: "AQAB", e: "", kid: "tiny", alg: "RS256" },
      { kty: "OKP", crv: "X25519", x: "A".repeat(43), kid: "wrong use", alg: "EdDSA" },
      { kty: "new", kid: "unknown kind", alg: "ES256" },
      { kty: "EC", crv: "P-256", kid: "empty", alg: "ES256" },
      { kty: "oct", k: "AAAA", kid: "secret", alg: "HS256" },
    ];
    await verify(await token(published[0]!));
    const refuse = async (header: { kid?: unknown; alg?: unknown }) => {
      const { kid, alg } = header;
      const [, ...rest] = (await token(published[0]!)).split(".");
      const changed = [Buffer.from(JSON.stringify({ kid, alg })).toString("base64url"), ...rest].join(".");
      await expect(verify(changed)).rejects.toMatchObject(refused);
    };
    for (const header of [...unusable, { kid: "weak", alg: "PS256" }, { kid: "one", alg: "XX1" }])
      await refuse(header);
    expect(failures).toEqual([]);
    // None of it counts as a failure to fetch: a key that was changed is known as soon as ever.
    await new Promise((resolve) => setTimeout(resolve, 150));
    for (let i = 0; i < 5; i++) await refuse({ kid: "weak", alg: "RS256" });
    const old = published[0]!;
    published = [await pair("two", "ES256")];
    await verify(await token(published[0]!));
    await expect(verify(await token(old))).rejects.toMatchObject(refused);
  });

  it("takes its keys from their address alone, of at most a megabyte, in time", async () => {
    await verify(await token(published[0]!));
    const next = await pair("two", "ES256");
    published.push(next);
    for (const fault of ["moved", "endless", "slow", "no keys"] as const) {
      answers = fault;
      await new Promise((resolve) => setTimeout(resolve, 150));
      const before = fetches;
      const started = performance.now();
      await expect(verify(await token(next))).rejects.toMatchObject(refused);
      expect(performance.now() - started).toBeLessThan(2_000);
      expect(fetches).toBe(before + 1);
      await verify(await token(published[0]!));
    }
    // What lies in sockets is sent, and not more.
    expect(sentBytes).toBeLessThan(20_000_000);
    // Somebody is told of each.
    expect(failures.map(describeFailure)).toEqual([
      "The address of the keys answers with status 302.",
      "The keys are larger than a megabyte.",
      "TimeoutError",
      "JWKSInvalid ERR_JWKS_INVALID",
    ]);
    answers = "well";
    await new Promise((resolve) => setTimeout(resolve, 150));
    await verify(await token(next));
  });

  it.each(["503", "rubbish"] as const)(
    "goes on being good while the keys cannot be fetched (%s)",
    async (fault) => {
      await verify(await token(published[0]!));
      answers = fault;
      await new Promise((resolve) => setTimeout(resolve, 150));
      // An unknown key has them fetched.
      await expect(verify(await token(await pair("other", "ES256")))).rejects.toMatchObject(refused);
      await verify(await token(published[0]!));
    },
  );

  it.each(["503", "rubbish"] as const)(
    "cannot be told from a bad one before there are keys (%s): unavailable",
    async (fault) => {
      answers = fault;
      const attempt = verify(await token(published[0]!));
      await expect(attempt).rejects.toBeInstanceOf(UsageStatsError);
      await expect(attempt).rejects.toMatchObject({ code: "unavailable" });
    },
  );
});
