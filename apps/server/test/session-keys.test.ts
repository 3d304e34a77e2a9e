import { generateKeyPairSync, sign as signWith } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { type AddressInfo } from "node:net";
import { UsageError } from "@usage-stats/core";
import { type CryptoKey, exportJWK, exportSPKI, generateKeyPair, SignJWT, UnsecuredJWT } from "jose";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { publicKeys, type SessionKeys } from "../src/auth/session-keys.ts";
import { verifySessionToken } from "../src/auth/session-token.ts";

const NOW = new Date("2025-06-20T12:00:00Z");
const ISSUER = "https://id.example";
const AUDIENCE = "usage-stats";

type Pair = { kid: string; alg: string; privateKey: CryptoKey; publicKey: CryptoKey };

async function pair(kid: string, alg: string): Promise<Pair> {
  return { kid, alg, ...(await generateKeyPair(alg, { extractable: true })) };
}

let server: Server;
let published: Pair[];
/** Published beside them as they are. */
let unusable: Record<string, unknown>[];
let answers: "well" | "503" | "rubbish" | "never" | "endless" | "huge" | "redirect";
let sentBytes: number;
let failures: unknown[];
let fetches: number;
let keys: SessionKeys;

beforeEach(async () => {
  published = [await pair("one", "ES256")];
  unusable = [];
  answers = "well";
  sentBytes = 0;
  failures = [];
  fetches = 0;
  server = createServer((_, response) => {
    fetches += 1;
    if (answers === "never") return;
    if (answers === "endless" || answers === "huge") {
      response.setHeader("content-type", "application/json");
      // The one for ever, a little at a time; the other as fast as it is taken.
      const piece = Buffer.alloc(answers === "huge" ? 100_000 : 10, " ");
      const more = () => {
        sentBytes += piece.length;
        if (response.destroyed || sentBytes > 50_000_000) return;
        if (response.write(piece)) setTimeout(more, answers === "huge" ? 0 : 20);
        else response.once("drain", more);
      };
      return more();
    }
    if (answers === "redirect") return void response.writeHead(302, { location: "/elsewhere" }).end();
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
  keys = publicKeys(url, (error) => failures.push(error), { refetchMs: 300, pauseMs: 100, timeoutMs: 200 });
});
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

  it.each(["503", "rubbish", "redirect", "never", "endless", "huge"] as const)(
    "goes on being good while the keys cannot be fetched (%s)",
    async (fault) => {
      await verify(await token(published[0]!));
      answers = fault;
      await new Promise((resolve) => setTimeout(resolve, 150));
      // An unknown key has them fetched.
      await expect(verify(await token(await pair("other", "ES256")))).rejects.toMatchObject(refused);
      await verify(await token(published[0]!));
      expect(failures.length).toBeGreaterThan(0);
    },
  );

  it.each(["503", "rubbish", "redirect", "never", "endless", "huge"] as const)(
    "cannot be told from a bad one before there are keys (%s): unavailable",
    async (fault) => {
      answers = fault;
      const attempt = verify(await token(published[0]!));
      await expect(attempt).rejects.toBeInstanceOf(UsageError);
      await expect(attempt).rejects.toMatchObject({ code: "unavailable" });
    },
  );

  it("is not kept waiting, nor memory filled, by keys without end", async () => {
    answers = "huge";
    await expect(verify(await token(published[0]!))).rejects.toMatchObject({ code: "unavailable" });
    expect(String(failures[0])).toContain("more than 1,000,000 bytes");
    await new Promise((resolve) => setTimeout(resolve, 100));
    // What was under way in sockets is little beside the 50 MB that were to come.
    expect(sentBytes).toBeLessThan(20_000_000);
  });

  it("can be signed by nobody with a key that cannot be used, and nobody can keep keys from being fetched by it", async () => {
    const weak = generateKeyPairSync("rsa", { modulusLength: 1024 });
    const { x } = await exportJWK((await pair("", "ES256")).publicKey);
    unusable = [
      { ...weak.publicKey.export({ format: "jwk" }), kid: "weak", alg: "RS256", use: "sig" },
      { kty: "EC", crv: "P-256", x, y: x, kid: "off the curve", alg: "ES256", use: "sig" },
      { kty: "EC", crv: "P-256", x: "AA", y: "AA", kid: "short", alg: "ES256", use: "sig" },
      { kty: "OKP", crv: "Ed25519", x: "", kid: "empty", alg: "EdDSA", use: "sig" },
      { kty: "RSA", n: "AQAB", e: "", kid: "no exponent", alg: "RS256", use: "sig" },
      { kty: "RSA", n: 5, e: [], kid: "of numbers", alg: "RS256", use: "sig" },
      { kty: "new", kid: "of the future", alg: "ES256", use: "sig" },
    ];
    const forge = (header: Record<string, unknown>) => {
      const claims = { sub: "a", iss: ISSUER, aud: AUDIENCE, exp: NOW.getTime() / 1000 + 60 };
      const text = [header, claims]
        .map((one) => Buffer.from(JSON.stringify(one)).toString("base64url"))
        .join(".");
      return `${text}.${signWith("sha256", Buffer.from(text), weak.privateKey).toString("base64url")}`;
    };
    await verify(await token(published[0]!));
    for (const { kid, alg } of unusable)
      await expect(verify(forge({ kid, alg }))).rejects.toMatchObject(refused);
    await expect(verify(forge({ kid: "weak", alg: "XX999" }))).rejects.toMatchObject(refused);
    expect(failures).toEqual([]);

    published = [await pair("new", "ES256")];
    await new Promise((resolve) => setTimeout(resolve, 110));
    for (const { kid, alg } of unusable)
      await expect(verify(forge({ kid, alg }))).rejects.toMatchObject(refused);
    await verify(await token(published[0]!));
  });
});
