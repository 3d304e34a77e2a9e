import { createHmac } from "node:crypto";
import { SignJWT, UnsecuredJWT } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { secretKey } from "@usage-stats/identity";
import { AUTH_SECRET, createTestServer, type TestServer } from "../test-server.ts";
import { contentsOf, expectRefusal } from "./database-contents.ts";

const ALICE = "did:abt:z1alice";
const NOW = new Date("2025-06-21T12:00:00Z");
const STATS = "/app/api/user/usage-stats?startTime=1750377600&endTime=1750463999";
const TRPC = `/trpc/usageStats?input=${encodeURIComponent('{"from":"2025-06-20T00:00:00Z","to":"2025-06-21T00:00:00Z"}')}`;
const ADMIN = "/app/api/user/admin/user-stats?startTime=1750377600&endTime=1750463999";

let server: TestServer;
let before: string;

beforeAll(async () => {
  const checks = { keys: secretKey(AUTH_SECRET), issuer: "https://id.example", audience: "usage-stats" };
  server = await createTestServer({ now: () => NOW, checks });
  before = await contentsOf(server);
});
afterAll(() => server.close());

const base = (claims: Record<string, unknown> = {}) =>
  new SignJWT({ role: "admin", ...claims })
    .setProtectedHeader({ alg: "HS256" })
    .setSubject(ALICE)
    .setIssuer("https://id.example")
    .setAudience("usage-stats")
    .setExpirationTime(new Date(NOW.getTime() + 60_000));
const sign = (jwt: SignJWT, secret = AUTH_SECRET) => jwt.sign(new TextEncoder().encode(secret));
const GOOD = {
  sub: ALICE,
  role: "admin",
  iss: "https://id.example",
  aud: "usage-stats",
  exp: NOW.getTime() / 1000 + 60,
};
/** Signed by the right secret, whatever it says. */
function hmac(hash: string, header: unknown, claims: unknown): string {
  const text = `${part(header)}.${part(claims)}`;
  return `${text}.${createHmac(hash, AUTH_SECRET).update(text).digest("base64url")}`;
}
const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

const FORGED: [string, () => Promise<string> | string][] = [
  ["expired a minute ago", () => sign(base().setExpirationTime(new Date(NOW.getTime() - 60_000)))],
  ["expired in 1970", () => sign(base().setExpirationTime(1))],
  ["not good yet", () => sign(base().setNotBefore(new Date(NOW.getTime() + 60_000)))],
  [
    "for ever: without an expiry",
    async () => {
      const jwt = new SignJWT({ role: "admin" }).setProtectedHeader({ alg: "HS256" }).setSubject(ALICE);
      return sign(jwt.setIssuer("https://id.example").setAudience("usage-stats"));
    },
  ],
  ["of another audience", () => sign(base().setAudience("other"))],
  ["of another issuer", () => sign(base().setIssuer("https://evil.example"))],
  ["of a lookalike issuer", () => sign(base().setIssuer("https://id.example/"))],
  ["of another secret", () => sign(base(), "another secret for tests, 32 bytes")],
  ["of an empty subject", () => sign(base().setSubject(""))],
  ["of a subject that is a number", () => hmac("sha256", { alg: "HS256" }, { ...GOOD, sub: 1 })],
  ["of a subject that is a list", () => hmac("sha256", { alg: "HS256" }, { ...GOOD, sub: [ALICE] })],
  [
    "of nobody",
    () =>
      new UnsecuredJWT({ role: "admin", iss: "https://id.example", aud: "usage-stats" })
        .setSubject(ALICE)
        .setExpirationTime("1h")
        .encode(),
  ],
  ["alg None in capitals", () => `${part({ alg: "None" })}.${part({ sub: ALICE, exp: 4e9 })}.`],
  ["alg nOnE with a signature", () => `${part({ alg: "nOnE" })}.${part({ sub: ALICE, exp: 4e9 })}.AAAA`],
  ["HS512 by the right secret", () => hmac("sha512", { alg: "HS512" }, GOOD)],
  [
    "with a header that is critical",
    async () => (await sign(base())).replace(/^[^.]+/, part({ alg: "HS256", crit: ["x"], x: 1 })),
  ],
  [
    "with an embedded key",
    async () =>
      (await sign(base())).replace(/^[^.]+/, part({ alg: "HS256", jwk: { kty: "oct", k: "AAAA" } })),
  ],
  [
    "with a key's address",
    async () => (await sign(base())).replace(/^[^.]+/, part({ alg: "HS256", jku: "https://evil.example" })),
  ],
  [
    "with another's content",
    async () => {
      const [head, , signature] = (await sign(base())).split(".");
      return `${head}.${part({ sub: "did:abt:z1bob", exp: 4e9 })}.${signature}`;
    },
  ],
  ["without its signature", async () => (await sign(base())).replace(/[^.]+$/, "")],
  ["cut short", async () => (await sign(base())).slice(0, -2)],
  ["with a part too many", async () => `${await sign(base())}.AAAA`],
  ["of two parts", async () => (await sign(base())).split(".").slice(0, 2).join(".")],
  ["that is no base64", () => "~.~.~"],
  ["that is one letter", () => "x"],
  ["of ten thousand letters", () => "x".repeat(10_000)],
  ["whose parts are null", () => `${part(null)}.${part(null)}.AAAA`],
  ["whose content is a list", () => `${part({ alg: "HS256" })}.${part([])}.AAAA`],
  [
    "of __proto__",
    () =>
      `${part({ alg: "HS256" })}.${Buffer.from('{"__proto__":{"sub":"x","exp":9e9}}').toString("base64url")}.AAAA`,
  ],
];

describe.each(FORGED)("a token %s", (_, make) => {
  it("is refused in the same words, by REST, by tRPC and as a cookie", async () => {
    const token = await make();
    for (const path of [STATS, TRPC])
      for (const headers of [{ authorization: `Bearer ${token}` }, { cookie: `login_token=${token}` }]) {
        const response = await server.request(path, { headers });
        if (path === STATS)
          expect(await response.clone().json()).toMatchObject({ detail: "The session is not valid." });
        expect(await expectRefusal(response, [401])).toBe("invalid_token");
      }
    expect(await contentsOf(server)).toBe(before);
  });
});

describe("an authorization header", () => {
  it.each([
    "Basic YTpi",
    "Bearer",
    "Bearer ",
    "Bearer a b",
    "Bearer a,b",
    "Bearer é",
    "Digest username=x",
    "bearer: x",
    "null",
    "Bearer undefined",
    "Bearer {}",
  ])("%j is refused, and the cookie beside it is not looked at", async (authorization) => {
    const cookie = `login_token=${await sign(base())}`;
    const raw = Buffer.from(authorization).toString("latin1");
    const response = await server.request(STATS, { headers: { authorization: raw, cookie } });
    if (!/^bearer (undefined|null)$/i.test(authorization))
      expect(await response.clone().json()).toMatchObject({
        status: 401,
        detail: expect.stringContaining("Send Authorization: Bearer …"),
      });
    expect(await expectRefusal(response, [401])).toBe("invalid_token");
  });
});

describe("a role", () => {
  it.each([
    ["in capitals", "Admin"],
    ["with a space", "admin "],
    ["in a list", ["admin"]],
    ["that is true", true],
    ["that is an object", { admin: true }],
    ["missing", undefined],
    ["of Cyrillic letters", "аdmin"],
  ])("%s is no admin's", async (_, role) => {
    const headers = {
      authorization: `Bearer ${await sign(base({ role, scope: "admin", scopes: ["admin"], admin: true }))}`,
    };
    expect((await server.request(STATS, { headers })).status).toBe(200);
    expect(await expectRefusal(await server.request(ADMIN, { headers }), [403])).toBe("forbidden");
    expect(await expectRefusal(await server.request(`${STATS}&noCache=true`, { headers }), [403])).toBe(
      "forbidden",
    );
  });
});
