import { exportSPKI, SignJWT, UnsecuredJWT } from "jose";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { publicKeys, type SessionKeys, verifySessionToken } from "../src/index.ts";
import { type JwksServer, signingKey, startJwksServer } from "./jwks-server.ts";
import { AUDIENCE, INVALID_SESSION, ISSUER, NOW, tokenOf } from "./signed-elsewhere.ts";

let jwks: JwksServer;
let keys: SessionKeys;

beforeEach(async () => {
  jwks = await startJwksServer();
  jwks.published = [await signingKey("one", "ES256")];
  keys = publicKeys(jwks.url, () => {});
});
afterEach(() => jwks.close());

const verify = (text: string) => verifySessionToken({ keys, issuer: ISSUER, audience: AUDIENCE }, text, NOW);
const published = () => jwks.published[0]!;

describe("a session signed elsewhere", () => {
  it.each(["RS256", "PS256", "ES256", "ES384", "EdDSA"])("is good, by %s", async (alg) => {
    jwks.published = [await signingKey("key", alg)];
    expect((await verify(await tokenOf(published()))).identity).toEqual({
      subject: "user did:abt:z1alice",
      onlyApps: null,
      keyId: null,
      userDid: "did:abt:z1alice",
      scopes: ["stats:read"],
    });
  });

  it.each([
    ["another issuer", async () => tokenOf(published(), (jwt) => jwt.setIssuer("https://evil.example"))],
    ["another audience", async () => tokenOf(published(), (jwt) => jwt.setAudience("other"))],
    [
      "the past",
      async () => tokenOf(published(), (jwt) => jwt.setExpirationTime(new Date(NOW.getTime() - 60_000))),
    ],
    ["an unknown key", async () => tokenOf(await signingKey("unknown", "ES256"))],
    ["a key that only claims to be known", async () => tokenOf(await signingKey("one", "ES256"))],
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
          .sign(new TextEncoder().encode(await exportSPKI(published().publicKey))),
    ],
  ])("is refused in the same words when it is of %s", async (_, make) => {
    await expect(verify(await make())).rejects.toMatchObject(INVALID_SESSION);
  });
});
