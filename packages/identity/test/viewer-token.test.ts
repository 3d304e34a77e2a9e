import { type ApiKey, UsageStatsError } from "@usage-stats/core";
import { decodeJwt, type JWTPayload, SignJWT } from "jose";
import { describe, expect, it } from "vitest";
import {
  createSignViewerToken,
  isViewerToken,
  type SignViewerToken,
  signSessionToken,
  verifyViewerToken,
} from "../src/index.ts";

const SECRET = "a secret for tests only, 32 bytes";
const USER = "did:abt:z1bob";
const NOW = new Date("2025-06-20T12:00:00Z");
const INVALID = { code: "invalid_token", message: "The session is not valid." };

const after = (ms: number, start = NOW) => new Date(start.getTime() + ms);
const seconds = (time: Date) => time.getTime() / 1000;

const key: ApiKey = {
  id: "abcdefgh2345",
  name: "an app's back end",
  scopes: ["stats:read:any"],
  userDid: null,
  createdAt: NOW,
  createdBy: "test",
  expiresAt: null,
  lastUsedAt: null,
  revokedAt: null,
};
const hashes = { current: "", previous: null };
const holding = (change: Partial<ApiKey>) => ({ find: async () => ({ key: { ...key, ...change }, hashes }) });
type Keys = Parameters<typeof verifyViewerToken>[0]["keys"];
const noKeys: Keys = { find: async () => null };

type Claims = Parameters<SignViewerToken>[0];
const claims: Claims = {
  userDid: USER,
  onlyApps: null,
  keyId: null,
  issuedAt: NOW,
  expiresAt: after(60_000),
};
const sign = (change: Partial<Claims> = {}, secret = SECRET) =>
  createSignViewerToken(async () => secret)({ ...claims, ...change });
const verify = (token: string, { now = NOW, secret = SECRET, keys = noKeys } = {}) =>
  verifyViewerToken({ viewerSecret: async () => secret, keys }, token, now);

describe("a viewer token", () => {
  it("says what it is, and is read as it was signed: one user's usage, and nothing else", async () => {
    const token = await sign();
    expect([isViewerToken(token), isViewerToken(token.slice(1)), isViewerToken("usk_a_b")]).toEqual([
      true,
      false,
      false,
    ]);
    expect(await verify(token)).toEqual({
      identity: {
        subject: `viewer ${USER}`,
        userDid: USER,
        scopes: ["stats:read"],
        onlyApps: null,
        keyId: null,
      },
      expiresAt: claims.expiresAt,
    });
  });

  it.each([[["did:app:one"]], [["did:app:one", "did:app:two"]], [[]]])(
    "for the apps %j is for those alone",
    async (onlyApps) => {
      expect((await verify(await sign({ onlyApps }))).identity.onlyApps).toEqual(onlyApps);
    },
  );

  it.each([{ onlyKeys: ["k1"] }, { onlyTags: { team: ["search"] } }])(
    "for %j is for those alone, and worthless to a server that would not know",
    async (limits) => {
      const token = await sign(limits);
      expect((await verify(token)).identity).toMatchObject(limits);
      expect(decodeJwt(token.slice("usv_".length)).aud).not.toBe(
        decodeJwt((await sign()).slice("usv_".length)).aud,
      );
    },
  );

  it("is over at the very instant that it says, without a second more", async () => {
    const token = await sign();
    await verify(token, { now: after(-1, claims.expiresAt) });
    await expect(verify(token, { now: claims.expiresAt })).rejects.toMatchObject(INVALID);
  });

  it("is refused with any one letter changed, and cut anywhere", async () => {
    const token = await sign({ onlyApps: ["did:app:one"] });
    const places = [...token.matchAll(/[\w-](?=[\w-])/g)].map(({ index }) => index).slice("usv_".length);
    expect(places.length).toBeGreaterThan(100);
    for (const place of places) {
      const other = token[place] === "A" ? "B" : "A";
      const changed = `${token.slice(0, place)}${other}${token.slice(place + 1)}`;
      await expect(verify(changed)).rejects.toMatchObject(INVALID);
      await expect(verify(token.slice(0, place))).rejects.toMatchObject(INVALID);
    }
  });

  it("is refused once the secret is another, and signed with that one is good", async () => {
    const secret = "another secret for tests, 32 bytes";
    await expect(verify(await sign(), { secret })).rejects.toMatchObject(INVALID);
    await verify(await sign({}, secret), { secret });
  });

  it("is signed with the secret as it is at that moment", async () => {
    let secret = SECRET;
    const signNow = createSignViewerToken(async () => secret);
    secret = "a secret that was made later, 32 bytes";
    const { expiresAt } = await verify(await signNow(claims), { secret });
    expect(expiresAt).toEqual(claims.expiresAt);
  });
});

describe("what the same secret signed for something else", () => {
  const header = { alg: "HS256", typ: "usage-stats-viewer+jwt" };
  const content = { sub: USER, aud: "usage-stats-viewer", exp: seconds(claims.expiresAt) };
  const jwt = (body: JWTPayload, head: { alg: string; typ?: string } = header) =>
    new SignJWT(body).setProtectedHeader(head).sign(new TextEncoder().encode(SECRET));
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const without = (name: keyof typeof content) =>
    Object.fromEntries(Object.entries(content).filter(([claim]) => claim !== name));

  it("would be good with nothing of it wrong", async () => {
    expect((await verify(`usv_${await jwt(content)}`)).identity.userDid).toBe(USER);
  });

  it.each<[string, () => Promise<string> | string]>([
    ["has another audience", () => jwt({ ...content, aud: "usage-stats" })],
    ["has no audience", () => jwt(without("aud"))],
    ["is of another type", () => jwt(content, { alg: "HS256", typ: "JWT" })],
    ["is of no type", () => jwt(content, { alg: "HS256" })],
    ["never expires", () => jwt(without("exp"))],
    ["is nobody's", () => jwt(without("sub"))],
    ["is not good yet", () => jwt({ ...content, nbf: seconds(NOW) + 1 })],
    ["is of another algorithm", () => jwt(content, { ...header, alg: "HS512" })],
    ["is not signed", () => `${part({ ...header, alg: "none" })}.${part(content)}.`],
    ["is a session's", () => signSessionToken(SECRET, { userDid: USER, role: "admin" }, "1h", NOW)],
    ["is empty", () => ""],
  ])("is no viewer token: what %s", async (_, make) => {
    await expect(verify(`usv_${await make()}`)).rejects.toMatchObject(INVALID);
  });
});

describe("a viewer token that was asked for with an API key", () => {
  const lent = () => sign({ keyId: key.id });

  it("says which, and is asked after by its id", async () => {
    const asked: string[] = [];
    const keys = { find: async (id: string) => (asked.push(id), { key, hashes }) };
    expect((await verify(await lent(), { keys })).identity.keyId).toBe(key.id);
    expect(asked).toEqual([key.id]);
    await verify(await sign(), { keys });
    expect(asked).toEqual([key.id]);
  });

  it.each([
    ["is unknown", noKeys],
    ["is revoked", holding({ revokedAt: after(-1) })],
    ["expires at this very instant", holding({ expiresAt: NOW })],
    ["may read its own user's usage alone by now", holding({ scopes: ["stats:read"] })],
    ["may only record by now", holding({ scopes: ["calls:write"] })],
  ])("is worthless once that %s", async (_, keys) => {
    await expect(verify(await lent(), { keys })).rejects.toMatchObject(INVALID);
  });

  it.each([
    ["is an admin's", { scopes: ["admin"] as const }, claims.expiresAt],
    ["expires later", { expiresAt: after(1, claims.expiresAt) }, claims.expiresAt],
    ["expires before it does", { expiresAt: after(1) }, after(1)],
  ])("is good until the first of both expires, where that key %s", async (_, change, expiresAt) => {
    expect((await verify(await lent(), { keys: holding(change) })).expiresAt).toEqual(expiresAt);
  });
});

it("what fails of the secret or the keys is told as it is, and is no bad token", async () => {
  const unavailable = new UsageStatsError("unavailable", "The database does not answer.");
  const fail = async () => {
    throw unavailable;
  };
  const token = await sign({ keyId: key.id });
  await expect(verify(token, { keys: { find: fail } })).rejects.toBe(unavailable);
  await expect(verifyViewerToken({ viewerSecret: fail, keys: noKeys }, token, NOW)).rejects.toBe(unavailable);
  await expect(createSignViewerToken(fail)(claims)).rejects.toBe(unavailable);
});
