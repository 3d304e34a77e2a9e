import { type RestUsageStats } from "@usage-stats/api";
import { createCallWriter, rollUp } from "@usage-stats/db";
import { SignJWT, UnsecuredJWT } from "jose";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { modelCall } from "./model-calls.ts";
import { AUTH_SECRET, createTestServer, type TestServer } from "./test-server.ts";

const now = new Date("2025-07-01T00:00:00Z");
const seconds = (iso: string) => Date.parse(iso) / 1000;
const RANGE = `startTime=${seconds("2025-06-01T00:00:00Z")}&endTime=${seconds("2025-06-30T23:59:59Z")}`;
const STATS = `/app/api/user/usage-stats?${RANGE}`;
const ALICE = "did:abt:z1alice";
let server: TestServer;

beforeAll(async () => {
  server = await createTestServer({ now: () => now });
  const call = modelCall({ userDid: ALICE, callTime: new Date("2025-06-30T23:59:59.999Z") });
  await createCallWriter(server.database.orm).record([
    call,
    { ...call, id: "2", userDid: "did:abt:z1bob", credits: "0.2" },
  ]);
  await rollUp(server.database.orm);
});
beforeEach(() => {
  server.errors.length = 0;
});
afterAll(() => server.close());

async function problemOf(response: Response) {
  expect(response.headers.get("content-type")).toContain("application/problem+json");
  const body = (await response.json()) as Record<string, unknown>;
  expect(body["requestId"]).toBe(response.headers.get("x-request-id"));
  return { status: response.status, ...body };
}

describe("GET /app/api/user/usage-stats", () => {
  it("answers in the exact shape, with both ends inclusive", async () => {
    const response = await server.get(STATS, { user: ALICE });
    expect(response.status).toBe(200);
    expect(response.headers.get("server-timing")).toMatch(/^db;desc="1 statement";dur=[\d.]+$/);
    const totals = { totalUsage: 15, totalCredits: 0.1, totalCalls: 1 };
    const byType = { chatCompletion: { ...totals, successCalls: 1 } };
    const none = { totalUsage: 0, totalCredits: 0, totalCalls: 0, byType: {} };
    expect(await response.json()).toEqual({
      summary: { ...totals, byType, modelCount: 1 },
      dailyStats: [{ date: "2025-06-30", timestamp: seconds("2025-06-30T00:00:00Z"), ...totals, byType }],
      modelStats: [
        {
          providerId: "openai",
          provider: { id: "openai", name: "openai", displayName: "openai" },
          model: "gpt-4o",
          ...totals,
        },
      ],
      trendComparison: {
        current: { ...totals, byType },
        previous: none,
        growth: { usageGrowth: 1, creditsGrowth: 1, callsGrowth: 1 },
      },
    });
  });

  it("dates calls by the zone, named or as getTimezoneOffset minutes", async () => {
    for (const zone of ["timezone=Asia/Kolkata", "timezoneOffset=-330"]) {
      const answer = (await (await server.get(`${STATS}&${zone}`, { user: ALICE })).json()) as {
        dailyStats: { date: string }[];
      };
      expect(answer.dailyStats.map(({ date }) => date)).toEqual(["2025-07-01"]);
    }
  });

  it("orders models by what is asked for, and then gives their shares of it", async () => {
    const user = "did:abt:z1ranked";
    const used = (id: string, model: string, credits: string) =>
      modelCall({ id, userDid: user, model, credits, callTime: new Date("2025-06-25T10:00:00Z") });
    const often = ["1", "2", "3"].map((id) => used(id, "often", "0.00000001"));
    await createCallWriter(server.database.orm).record([...often, used("4", "dear", "0.00000009")]);
    const modelsOf = async (query: string) => {
      const response = await server.get(`${STATS}${query}`, { user });
      const { modelStats } = (await response.json()) as RestUsageStats;
      return modelStats.map(({ model, share }) => [model, share]);
    };
    expect(await modelsOf("")).toEqual([
      ["often", undefined],
      ["dear", undefined],
    ]);
    expect(await modelsOf("&rankBy=credits")).toEqual([
      ["dear", 0.75],
      ["often", 0.25],
    ]);
    expect(await modelsOf("&rankBy=calls")).toEqual([
      ["often", 0.75],
      ["dear", 0.25],
    ]);
    // Nothing failed, and an average has no parts: equals come by name.
    for (const none of ["failedCalls", "durationMs"])
      expect(await modelsOf(`&rankBy=${none}`)).toEqual([
        ["dear", null],
        ["often", null],
      ]);
    await server.database.orm.em.fork().execute("delete from model_calls where user_did = ?", [user]);
  });

  it("takes equal ends for the one second that they are", async () => {
    const callTime = new Date("2025-06-25T10:00:00Z");
    const at = (ms: number) => new Date(callTime.getTime() + ms);
    const user = "did:abt:z1second";
    await createCallWriter(server.database.orm).record(
      [-1, 0, 999, 1000].map((ms) => modelCall({ id: `${ms}`, userDid: user, callTime: at(ms) })),
    );
    const second = callTime.getTime() / 1000;
    const path = `/app/api/user/usage-stats?startTime=${second}&endTime=${second}`;
    const answer = (await (await server.get(path, { user })).json()) as RestUsageStats;
    expect(answer.summary.totalCalls).toBe(2);
    expect(answer.trendComparison.previous.totalCalls).toBe(1);
    await server.database.orm.em.fork().execute("delete from model_calls where user_did = ?", [user]);
  });

  it.each([
    ["startTime missing", "endTime=1751327999", "startTime", "invalid_time"],
    ["endTime missing", "startTime=1748736000", "endTime", "invalid_time"],
    ["milliseconds", "startTime=1748736000000&endTime=1751327999000", "startTime", "invalid_time"],
    ["a fraction", "startTime=1748736000.5&endTime=1751327999", "startTime", "invalid_time"],
    ["an exponent", "startTime=1e9&endTime=1751327999", "startTime", "invalid_time"],
    ["hexadecimal", "startTime=0x10&endTime=1751327999", "startTime", "invalid_time"],
    [
      "full-width digits",
      `startTime=${encodeURIComponent("１７４８７３６０００")}&endTime=1751327999`,
      "startTime",
      "invalid_time",
    ],
    ["negative", "startTime=-1748736000&endTime=1751327999", "startTime", "invalid_time"],
    ["backwards", "startTime=1751327999&endTime=1748736000", "endTime", "invalid_range"],
    ["ten years", "startTime=1451606400&endTime=1767225599", "endTime", "range_too_long"],
    ["before 2000", "startTime=900000000&endTime=960000000", "startTime", "invalid_time"],
    ["sent twice", `${RANGE}&startTime=1`, "startTime", "invalid_option"],
    ["unknown parameter", `${RANGE}&__proto__=1`, "__proto__", "unknown_field"],
    ["unknown zone", `${RANGE}&timezone=Mars/Base`, "timezone", "invalid_timezone"],
    ["offset that is no number", `${RANGE}&timezoneOffset=abc`, "timezoneOffset", "invalid_timezone"],
    ["offset of seven minutes", `${RANGE}&timezoneOffset=7`, "timezoneOffset", "invalid_timezone"],
    ["no metric", `${RANGE}&rankBy=spend`, "rankBy", "invalid_option"],
    ["two metrics", `${RANGE}&rankBy=calls&rankBy=credits`, "rankBy", "invalid_option"],
    ["two zones", `${RANGE}&timezone=UTC&timezoneOffset=0`, "timezoneOffset", "invalid_option"],
  ])("refuses %s with 400 and the name of the parameter", async (_, query, field, code) => {
    const told = await problemOf(await server.get(`/app/api/user/usage-stats?${query}`, { user: ALICE }));
    expect(told).toMatchObject({ status: 400, field, code });
  });

  it("reads another user's stats for an admin only", async () => {
    const path = `${STATS}&userDid=did:abt:z1bob`;
    expect(await problemOf(await server.get(path, { user: ALICE }))).toMatchObject({
      status: 403,
      code: "forbidden",
    });
    expect(await (await server.get(path, { user: ALICE, role: "admin" })).json()).toMatchObject({
      summary: { totalCredits: 0.2 },
    });
  });
});

describe("GET /app/api/user/admin/user-stats", () => {
  const path = `/app/api/user/admin/user-stats?${RANGE}`;

  it("is the same over all users, exact in credits", async () => {
    expect(await (await server.get(path, { user: ALICE, role: "admin" })).json()).toMatchObject({
      summary: { totalCalls: 2, totalCredits: 0.3 },
    });
  });

  it("refuses users who are no admins", async () => {
    expect(await problemOf(await server.get(path, { user: ALICE }))).toMatchObject({
      status: 403,
      code: "forbidden",
    });
  });
});

describe("identity", () => {
  const key = new TextEncoder().encode(AUTH_SECRET);
  const jwt = (change: (token: SignJWT) => SignJWT, secret = key) =>
    change(
      new SignJWT({ role: "user" })
        .setProtectedHeader({ alg: "HS256" })
        .setSubject(ALICE)
        .setExpirationTime(new Date(now.getTime() + 60_000)),
    ).sign(secret);

  it("comes from the session cookie too, but a bearer token comes first", async () => {
    const token = await jwt((t) => t);
    expect((await server.request(STATS, { headers: { cookie: `login_token=${token}` } })).status).toBe(200);
    expect(
      (
        await server.request(STATS, {
          headers: { cookie: `login_token=${token}`, authorization: "Bearer nonsense" },
        })
      ).status,
    ).toBe(401);
    expect(
      (
        await server.request(STATS, {
          headers: { cookie: `login_token=${token}`, authorization: "Basic YTpi" },
        })
      ).status,
    ).toBe(401);
  });

  it("is missing: 401 and what to do", async () => {
    const response = await server.request(STATS);
    expect(response.headers.get("www-authenticate")).toBe("Bearer");
    expect(await problemOf(response)).toMatchObject({ status: 401, code: "unauthenticated" });
  });

  it.each([
    ["expired", () => jwt((t) => t.setExpirationTime(new Date(now.getTime() - 60_000)))],
    [
      "signed with another key",
      () => jwt((t) => t, new TextEncoder().encode("another secret, just as long as it")),
    ],
    ["without a subject", () => jwt((t) => t.setSubject(""))],
    [
      "without an expiry",
      async () => new SignJWT({}).setProtectedHeader({ alg: "HS256" }).setSubject(ALICE).sign(key),
    ],
    [
      "of another algorithm",
      async () =>
        new SignJWT({})
          .setProtectedHeader({ alg: "HS512" })
          .setSubject(ALICE)
          .setExpirationTime("1h")
          .sign(key),
    ],
    [
      "unsigned",
      async () =>
        new UnsecuredJWT({})
          .setSubject(ALICE)
          .setExpirationTime(new Date(now.getTime() + 60_000))
          .encode(),
    ],
    ["garbage", async () => "a.b.c"],
  ])("is refused in the same words when the token is %s", async (_, make) => {
    const told = await problemOf(
      await server.request(STATS, { headers: { authorization: `Bearer ${await make()}` } }),
    );
    expect(told).toMatchObject({ status: 401, code: "invalid_token", detail: "The session is not valid." });
  });

  it.each([undefined, "Admin ", "ADMIN", ["admin"], { admin: true }, true])(
    "with the role %j is no admin",
    async (role) => {
      const token = await new SignJWT(role === undefined ? {} : { role })
        .setProtectedHeader({ alg: "HS256" })
        .setSubject(ALICE)
        .setExpirationTime(new Date(now.getTime() + 60_000))
        .sign(key);
      const headers = { authorization: `Bearer ${token}` };
      expect((await server.request(`/app/api/user/admin/user-stats?${RANGE}`, { headers })).status).toBe(403);
      expect((await server.request(STATS, { headers })).status).toBe(200);
    },
  );
});

describe("every route", () => {
  it("answers what is not there with 404 and nothing of itself", async () => {
    const response = await server.request("/app/api/nothing");
    expect(response.headers.get("x-powered-by")).toBeNull();
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    expect(await problemOf(response)).toMatchObject({ status: 404, code: "not_found" });
  });

  it("is healthy and ready", async () => {
    expect((await server.request("/health")).status).toBe(200);
    expect(await (await server.request("/ready")).json()).toEqual({ status: "ready" });
  });
});

describe("when the database is gone", () => {
  let broken: TestServer;

  beforeAll(async () => {
    broken = await createTestServer({ now: () => now });
    await broken.database.close();
  });

  it("nothing of the failure leaves the server, and /ready says so", async () => {
    const response = await broken.get(STATS, { user: ALICE });
    const told = await problemOf(response);
    expect([500, 503]).toContain(told.status);
    expect(JSON.stringify(told)).not.toMatch(/select|postgres|node_modules|at \//i);
    expect((await broken.request("/ready")).status).toBe(503);
    expect((await broken.request("/health")).status).toBe(200);
  });
});
