import { SCOPES } from "@usage-stats/core";
import { decodeJwt, type JWTPayload, SignJWT } from "jose";
import { describe, expect, it } from "vitest";
import { type SessionChecks, secretKey, signSessionToken, verifySessionToken } from "../src/index.ts";

const SECRET = "a secret for tests only, 32 bytes";
const USER = "did:abt:z1alice";
const NOW = new Date("2025-06-20T12:00:00Z");
const TOLERANCE_MS = 5_000;
const INVALID = { code: "invalid_token", message: "The session is not valid." };

const after = (ms: number, start = NOW) => new Date(start.getTime() + ms);
const verify = (token: string, now = NOW, checks: Partial<SessionChecks> = {}) =>
  verifySessionToken({ keys: secretKey(SECRET), ...checks }, token, now);
const sign = (claims: JWTPayload, secret = SECRET) =>
  new SignJWT(claims).setProtectedHeader({ alg: "HS256" }).sign(new TextEncoder().encode(secret));
const seconds = (time: Date) => time.getTime() / 1000;
const good = { sub: USER, exp: seconds(after(60_000)) };

describe("a session token that is signed here", () => {
  it.each([
    ["user", ["stats:read"]],
    ["admin", SCOPES],
  ] as const)("of a %s is read as it was signed, with the scopes of that role", async (role, scopes) => {
    const { identity } = await verify(await signSessionToken(SECRET, { userDid: USER, role }, "12h", NOW));
    expect(identity).toEqual({ subject: `user ${USER}`, userDid: USER, scopes, onlyApps: null, keyId: null });
  });

  it.each([
    ["1s", 1],
    ["30m", 1_800],
    ["12h", 43_200],
    ["7d", 604_800],
    ["999999s", 999_999],
  ])("for %s expires %d seconds later", async (span, length) => {
    const { iat, exp } = decodeJwt(
      await signSessionToken(SECRET, { userDid: USER, role: "user" }, span, NOW),
    );
    expect([iat, exp]).toEqual([seconds(NOW), seconds(NOW) + length]);
  });

  it.each(["", "12", "h", "0h", "00m", "1w", "1H", "-1h", "+1h", "1.5h", " 1h", "1h ", "1h30m", "1000000s"])(
    "is not signed for %j, which is no span",
    (span) => {
      expect(() => signSessionToken(SECRET, { userDid: USER, role: "user" }, span, NOW)).toThrow(
        expect.objectContaining({ code: "invalid_option", field: "expires" }),
      );
    },
  );
});

describe("a session", () => {
  it("is over at the very instant that it says: when its token expires, and five seconds for clocks that differ", async () => {
    const exp = after(60_000);
    const token = await sign({ sub: USER, exp: seconds(exp) });
    const { expiresAt } = await verify(token);
    expect(expiresAt).toEqual(after(TOLERANCE_MS, exp));
    expect((await verify(token, after(-1, expiresAt))).expiresAt).toEqual(expiresAt);
    await expect(verify(token, expiresAt)).rejects.toMatchObject(INVALID);
  });

  it("begins five seconds before its token says, to the second", async () => {
    const nbf = after(60_000);
    const token = await sign({ sub: USER, nbf: seconds(nbf), exp: seconds(after(120_000)) });
    await verify(token, after(-TOLERANCE_MS, nbf));
    await expect(verify(token, after(-TOLERANCE_MS - 1, nbf))).rejects.toMatchObject(INVALID);
  });

  it.each([
    ["without an issuer where one is set", good, { issuer: "https://id.example" }],
    [
      "of an issuer that is a list",
      { ...good, iss: ["https://id.example"] },
      { issuer: "https://id.example" },
    ],
    ["without an audience where one is set", good, { audience: "usage-stats" }],
    ["for other audiences", { ...good, aud: ["a", "b"] }, { audience: "usage-stats" }],
  ])("is refused %s", async (_, claims, checks) => {
    await expect(verify(await sign(claims as JWTPayload), NOW, checks)).rejects.toMatchObject(INVALID);
  });

  it("is good for one of several audiences, and of any issuer where none is set", async () => {
    const token = await sign({ ...good, iss: "https://anyone.example", aud: ["a", "usage-stats"] });
    for (const checks of [{ audience: "usage-stats" }, {}])
      expect((await verify(token, NOW, checks)).identity.userDid).toBe(USER);
  });

  it("is refused with any one letter changed", async () => {
    const token = await sign(good);
    // The last letter of a part may hold bits that say nothing.
    const places = [...token.matchAll(/[\w-](?=[\w-])/g)].map(({ index }) => index);
    expect(places.length).toBeGreaterThan(100);
    for (const place of places) {
      const other = token[place] === "A" ? "B" : "A";
      const changed = `${token.slice(0, place)}${other}${token.slice(place + 1)}`;
      await expect(verify(changed)).rejects.toMatchObject(INVALID);
    }
  });

  it("belongs to a user of 256 characters, and not of one more, nor of what no database can hold", async () => {
    const longest = "é".repeat(256);
    expect((await verify(await sign({ ...good, sub: longest }))).identity.userDid).toBe(longest);
    for (const sub of [`${longest}x`, "a\0b", "a\ud800"])
      await expect(verify(await sign({ ...good, sub }))).rejects.toMatchObject(INVALID);
  });

  it("is no admin's whatever it says of scopes, and only its user's", async () => {
    const token = await sign({
      ...good,
      role: "user",
      scopes: SCOPES,
      onlyApps: ["a"],
      keyId: "k",
      userDid: "b",
    });
    expect((await verify(token)).identity).toEqual({
      subject: `user ${USER}`,
      userDid: USER,
      scopes: ["stats:read"],
      onlyApps: null,
      keyId: null,
    });
  });

  it("is refused once the secret is another", async () => {
    const next = "another secret for tests, 32 bytes";
    const checks = { keys: secretKey(next) };
    await expect(verify(await sign(good), NOW, checks)).rejects.toMatchObject(INVALID);
    await verify(await sign(good, next), NOW, checks);
  });
});
