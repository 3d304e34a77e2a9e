import { usageStatsErrorOf } from "@usage-stats/client";
import { createCallWriter } from "@usage-stats/db";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { modelCall } from "./model-calls.ts";
import { createTestServer, type TestServer } from "./test-server.ts";

const ALICE = "did:abt:z1alice";
const BOB = "did:abt:z1bob";
const START = new Date("2025-06-21T12:00:00Z");
const RANGE = { from: new Date("2025-06-20T00:00:00Z"), to: new Date("2025-06-21T00:00:00Z") };
const INVALID_KEY = { code: "invalid_key", httpStatus: 401, message: "The key is not valid." };

let now = START;
let server: TestServer;
const admin = () => server.client({ user: "did:abt:z1root", role: "admin" }).admin.keys;
const refusalOf = (promise: Promise<unknown>) =>
  promise.then(
    () => "not refused",
    (error: unknown) => usageStatsErrorOf(error),
  );

beforeAll(async () => {
  server = await createTestServer({ now: () => now });
  await createCallWriter(server.database.orm).record([
    modelCall({ id: "1" }),
    modelCall({ id: "2", userDid: BOB, appDid: "did:app:one" }),
    modelCall({ id: "3", userDid: BOB, appDid: "did:app:two" }),
    modelCall({ id: "4", userDid: BOB }),
  ]);
});
beforeEach(() => {
  now = START;
});
afterAll(() => server.close());

const callsOf = async (token: string, query = {}) =>
  (await server.clientWith(token).usageStats({ ...RANGE, ...query })).totals.calls;

describe("an API key", () => {
  it("reads what its scopes allow: its own user's usage, or anyone's", async () => {
    const own = await admin().create({ name: "alice's script", scopes: ["stats:read"], userDid: ALICE });
    expect(await callsOf(own.text)).toBe(1);
    expect(await refusalOf(callsOf(own.text, { userDid: BOB }))).toMatchObject({
      code: "forbidden",
      field: "userDid",
    });

    const anyones = await admin().create({ name: "billing", scopes: ["stats:read:any"] });
    expect(await callsOf(anyones.text, { userDid: BOB })).toBe(3);
    expect(await refusalOf(callsOf(anyones.text))).toMatchObject({
      code: "invalid_option",
      field: "userDid",
    });
    expect(await refusalOf(server.clientWith(anyones.text).admin.keys.list())).toMatchObject({
      code: "forbidden",
      limit: "admin",
    });
  });

  it("with admin may do everything, also make keys, which the record tells", async () => {
    const { key, text } = await admin().create({ name: "terraform", scopes: ["admin"] });
    const made = await server
      .clientWith(text)
      .admin.keys.create({ name: "made by it", scopes: ["calls:write"] });
    expect(made.key.createdBy).toBe(`key ${key.id}`);
    const [action] = await server.database.orm.em.execute<Record<string, unknown>[]>(
      "select actor, action, target, details, request_id is not null as has_request from admin_actions order by id desc limit 1",
    );
    expect(action).toEqual({
      actor: `key ${key.id}`,
      action: "create key",
      target: `key ${made.key.id}`,
      details: { name: "made by it", scopes: ["calls:write"], userDid: null, expiresAt: null },
      has_request: true,
    });
  });

  it("is kept as a hash, shown once, and listed without it", async () => {
    const { key, text } = await admin().create({ name: "once", scopes: ["calls:write"] });
    const secret = text.split("_").slice(2).join("_");
    const rows = await server.database.orm.em.execute("select * from api_keys");
    expect(JSON.stringify(rows)).not.toContain(secret);
    const listed = await admin().list();
    expect(JSON.stringify(listed)).not.toContain(secret);
    expect(listed.find(({ id }) => id === key.id)).toEqual(key);
  });

  it("is refused from the moment it is revoked, also where it was just used", async () => {
    const { key, text } = await admin().create({ name: "leaked", scopes: ["stats:read"], userDid: ALICE });
    expect(await callsOf(text)).toBe(1);
    expect((await admin().revoke({ id: key.id })).revokedAt).toEqual(now);
    expect(await refusalOf(callsOf(text))).toMatchObject(INVALID_KEY);
    // Once more does no harm, and changes nothing.
    now = new Date(now.getTime() + 1000);
    expect((await admin().revoke({ id: key.id })).revokedAt).toEqual(START);
    expect(await refusalOf(admin().rotate({ id: key.id }))).toMatchObject({ code: "not_found" });
  });

  it("has two secrets for a while after a rotation, and one after that", async () => {
    const before = await admin().create({ name: "rotated", scopes: ["stats:read"], userDid: ALICE });
    const after = await admin().rotate({ id: before.key.id, graceSeconds: 3600 });
    expect(after.text).not.toBe(before.text);
    expect([await callsOf(before.text), await callsOf(after.text)]).toEqual([1, 1]);
    now = new Date(START.getTime() + 3600_000);
    expect(await refusalOf(callsOf(before.text))).toMatchObject(INVALID_KEY);
    expect(await callsOf(after.text)).toBe(1);
    const last = await admin().rotate({ id: before.key.id, graceSeconds: 0 });
    expect(await refusalOf(callsOf(after.text))).toMatchObject(INVALID_KEY);
    expect(await callsOf(last.text)).toBe(1);
  });

  it("rotated three times at once gets one new secret, beside which the one before is good; the others are told", async () => {
    for (let round = 0; round < 5; round++) {
      const { key, text } = await admin().create({ name: "raced", scopes: ["stats:read"], userDid: ALICE });
      const rotations = [1, 2, 3].map(() => admin().rotate({ id: key.id, graceSeconds: 60 }));
      const outcomes = await Promise.allSettled(rotations);
      const made = outcomes.flatMap((one) => (one.status === "fulfilled" ? [one.value.text] : []));
      expect(made).toHaveLength(1);
      for (const secret of [text, ...made]) expect(await callsOf(secret)).toBe(1);
      for (const one of outcomes)
        if (one.status === "rejected")
          expect(usageStatsErrorOf(one.reason)).toMatchObject({
            code: "conflict",
            httpStatus: 409,
            field: "id",
          });
    }
  });

  it("is over when it expires", async () => {
    const expiresAt = new Date(START.getTime() + 10_000);
    const { text } = await admin().create({
      name: "trial",
      scopes: ["stats:read"],
      userDid: ALICE,
      expiresAt,
    });
    expect(await callsOf(text)).toBe(1);
    now = expiresAt;
    expect(await refusalOf(callsOf(text))).toMatchObject(INVALID_KEY);
  });

  it("tells when it was last used", async () => {
    const { key, text } = await admin().create({ name: "used", scopes: ["stats:read"], userDid: ALICE });
    const lastUsed = async () => (await admin().list()).find(({ id }) => id === key.id)!.lastUsedAt;
    expect(await lastUsed()).toBeNull();
    await callsOf(text);
    await vi.waitFor(async () => expect(await lastUsed()).toEqual(START));
  });

  it("in a cookie is nobody", async () => {
    const { text } = await admin().create({ name: "cookie", scopes: ["stats:read"], userDid: ALICE });
    const headers = { cookie: `login_token=${text}` };
    const response = await server.request(
      "/app/api/user/usage-stats?startTime=1750377600&endTime=1750463999",
      {
        headers,
      },
    );
    expect(response.status).toBe(401);
  });

  it.each([
    ["of another's secret", (text: string) => text.slice(0, -1) + (text.endsWith("A") ? "B" : "A")],
    ["cut short", (text: string) => text.slice(0, -1)],
    ["with another id", (text: string) => `usk_aaaaaaaaaaaa_${text.split("_").slice(2).join("_")}`],
    ["with an id in capitals", (text: string) => text.replace(/usk_\w{12}/, (id) => id.toUpperCase())],
    ["of nothing but its prefix", () => "usk_"],
    ["with SQL in it", () => "usk_'or'1'='1_x"],
  ])("%s is refused, in the same words", async (_, change) => {
    const { text } = await admin().create({ name: "real", scopes: ["stats:read"], userDid: ALICE });
    const refusal = await refusalOf(callsOf(change(text)));
    expect(["invalid_key", "invalid_token"]).toContain((refusal as { code: string }).code);
  });

  it.each([
    [{ name: "", scopes: ["calls:write"] }, "name"],
    [{ name: "x".repeat(101), scopes: ["calls:write"] }, "name"],
    [{ name: "x", scopes: [] }, "scopes"],
    [{ name: "x", scopes: ["calls:write", "calls:write"] }, "scopes"],
    [{ name: "x", scopes: ["root"] }, "scopes.0"],
    [{ name: "x", scopes: ["stats:read"] }, "userDid"],
    [{ name: "x", scopes: ["calls:write"], expiresAt: START }, "expiresAt"],
    [{ name: "x", scopes: ["calls:write"], id: "mine" }, "id"],
  ])("is not made of %j", async (input, field) => {
    expect(await refusalOf(admin().create(input as never))).toMatchObject({ httpStatus: 400, field });
  });
});

describe("a viewer token", () => {
  const minter = async () =>
    (await admin().create({ name: "an app's back end", scopes: ["stats:read", "stats:read:any"] })).text;

  it("reads one user's usage, and nothing else", async () => {
    const { token, expiresAt } = await server
      .clientWith(await minter())
      .viewerTokens.create({ userDid: BOB });
    expect(expiresAt).toEqual(new Date(START.getTime() + 900_000));
    expect(await callsOf(token)).toBe(3);
    const viewer = server.clientWith(token);
    expect(await refusalOf(callsOf(token, { userDid: ALICE }))).toMatchObject({ code: "forbidden" });
    expect(await refusalOf(viewer.admin.usageStats(RANGE))).toMatchObject({ code: "forbidden" });
    expect(await refusalOf(viewer.viewerTokens.create({ userDid: BOB }))).toMatchObject({
      code: "forbidden",
    });
  });

  it("for one app reads the calls of that app only, whatever is asked", async () => {
    const client = server.clientWith(await minter());
    const { token } = await client.viewerTokens.create({ userDid: BOB, appDids: ["did:app:one"] });
    expect(await callsOf(token)).toBe(1);
    expect(await callsOf(token, { filter: { appDids: ["did:app:one"] } })).toBe(1);
    const others = { filter: { appDids: ["did:app:one", "did:app:two"] } };
    expect(await refusalOf(callsOf(token, others))).toMatchObject({
      code: "forbidden",
      field: "filter.appDids",
    });
    const rest = await server.request("/app/api/user/usage-stats?startTime=1750377600&endTime=1750463999", {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(await rest.json()).toMatchObject({ summary: { totalCalls: 1 } });
  });

  it("is refused once it has expired, and once its key is revoked or expired", async () => {
    const expiresAt = new Date(START.getTime() + 120_000);
    const scopes = ["stats:read:any" as const];
    const { key, text } = await admin().create({ name: "short", scopes, expiresAt });
    const client = server.clientWith(text);
    const short = await client.viewerTokens.create({ userDid: BOB, expiresInSeconds: 60 });
    const long = await client.viewerTokens.create({ userDid: BOB, expiresInSeconds: 3600 });
    expect([await callsOf(short.token), await callsOf(long.token)]).toEqual([3, 3]);
    now = short.expiresAt;
    expect(await refusalOf(callsOf(short.token))).toMatchObject({ code: "invalid_token" });
    expect(await callsOf(long.token)).toBe(3);
    now = expiresAt;
    expect(await refusalOf(callsOf(long.token))).toMatchObject({ code: "invalid_token" });
    now = START;
    expect(await callsOf(long.token)).toBe(3);
    await admin().revoke({ id: key.id });
    expect(await refusalOf(callsOf(long.token))).toMatchObject({ code: "invalid_token" });
  });

  it("is no session token, and a session token is none", async () => {
    const { token } = await server.clientWith(await minter()).viewerTokens.create({ userDid: BOB });
    const { authorization } = (await server.signed({ user: BOB })).headers;
    const session = authorization.slice("Bearer ".length);
    expect(await refusalOf(callsOf(token.slice(4)))).toMatchObject({ code: "invalid_token" });
    expect(await refusalOf(callsOf(`usv_${session}`))).toMatchObject({ code: "invalid_token" });
  });

  it("comes over HTTP too, with when it expires", async () => {
    const response = await server.request("/app/api/viewer-tokens", {
      method: "POST",
      body: JSON.stringify({ userDid: BOB, expiresInSeconds: 60 }),
      headers: { authorization: `Bearer ${await minter()}`, "content-type": "application/json" },
    });
    const { token, expiresAt } = (await response.json()) as { token: string; expiresAt: string };
    expect([response.status, expiresAt]).toEqual([201, "2025-06-21T12:01:00.000Z"]);
    expect(await callsOf(token)).toBe(3);
  });

  it("can be asked for by admins without a key", async () => {
    const client = server.client({ user: "did:abt:z1root", role: "admin" });
    expect(await callsOf((await client.viewerTokens.create({ userDid: BOB })).token)).toBe(3);
  });

  it.each([
    [{}, "userDid"],
    [{ userDid: BOB, expiresInSeconds: 59 }, "expiresInSeconds"],
    [{ userDid: BOB, expiresInSeconds: 3601 }, "expiresInSeconds"],
    [{ userDid: BOB, appDids: [] }, "appDids"],
    [{ userDid: BOB, scopes: ["admin"] }, "scopes"],
  ])("is not made of %j", async (input, field) => {
    const client = server.clientWith(await minter());
    expect(await refusalOf(client.viewerTokens.create(input as never))).toMatchObject({
      httpStatus: 400,
      field,
    });
  });
});

it("a key revoked by one server is soon refused by the others, which hear of it", async () => {
  // Another server is stood in for by SQL: nobody tells this one but the database.
  const { key, text } = await admin().create({ name: "elsewhere", scopes: ["stats:read"], userDid: ALICE });
  expect(await callsOf(text)).toBe(1);
  const listening = server.listen();
  try {
    await listening.settled;
    await server.database.orm.em.execute("update api_keys set revoked_at = now() where id = ?", [key.id]);
    await vi.waitFor(async () => expect(await refusalOf(callsOf(text))).toMatchObject(INVALID_KEY));
  } finally {
    await listening.close();
  }
});
