import { ACCESS, appRouter, budgetOf, isGuarded } from "@usage-stats/api";
import { usageStatsErrorOf } from "@usage-stats/client";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createInProcessLimiter } from "../../src/limits/in-process-limiter.ts";
import { createRateLimits, type RateLimits, type RateLimitSettings } from "../../src/limits/rate-limits.ts";
import { createTestServer, type TestServer } from "../test-server.ts";

const ALICE = "did:abt:z1alice";
const STATS = "/app/api/user/usage-stats?startTime=1750377600&endTime=1750463999";
const RANGE = { from: new Date("2025-06-20T00:00:00Z"), to: new Date("2025-06-21T00:00:00Z") };

let limits: RateLimits;
let elapsedMs = 0;
let server: TestServer;

/** Limits that nobody has spent anything of. */
function freshLimits(change: Partial<RateLimitSettings> = {}): void {
  const settings = { budgets: { read: 5, write: 2, export: 1 }, address: 1_000, failures: 3, ...change };
  const limiter = createInProcessLimiter();
  limits = createRateLimits(settings, { shared: limiter, local: limiter, monotonic: () => elapsedMs });
}

beforeAll(async () => {
  const current: RateLimits = {
    countRequest: (...all) => limits.countRequest(...all),
    attempt: (...all) => limits.attempt(...all),
    spend: (...all) => limits.spend(...all),
  };
  server = await createTestServer({ limits: current, trustedProxies: 1 });
});
beforeEach(() => freshLimits());
afterAll(() => server.close());

const ask = (as: string, address = "1.1.1.1") =>
  server
    .signed({ user: as })
    .then(({ headers }) => server.request(STATS, { headers: { ...headers, "x-forwarded-for": address } }));
const guess = (token: string, address: string) =>
  server.request(STATS, { headers: { authorization: `Bearer ${token}`, "x-forwarded-for": address } });

describe("an identity", () => {
  it("is told what is left, and refused once nothing is, until when", async () => {
    const answers = [];
    for (let i = 0; i < 6; i++) answers.push(await ask(ALICE));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 429]);
    expect(answers.map(({ headers }) => headers.get("ratelimit-remaining"))).toEqual([
      "4",
      "3",
      "2",
      "1",
      "0",
      null,
    ]);
    expect(answers[0]!.headers.get("ratelimit-limit")).toBe("5");
    expect(answers[0]!.headers.get("ratelimit-policy")).toBe("5;w=60");
    expect(Number(answers[0]!.headers.get("ratelimit-reset"))).toBeGreaterThan(50);
    const refused = answers[5]!;
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(50);
    expect(await refused.json()).toMatchObject({
      code: "rate_limited",
      detail: expect.stringMatching(/^Too many requests\. Try again in \d+ s\.$/),
      limit: "5 reads a minute",
    });
  });

  it("cannot get more from other addresses, and takes nothing from others", async () => {
    for (let i = 0; i < 5; i++) await ask(ALICE, `2.2.2.${i}`);
    expect((await ask(ALICE, "3.3.3.3")).status).toBe(429);
    expect((await ask("did:abt:z1bob", "2.2.2.1")).status).toBe(200);
  });

  it("pays for each question of a tRPC batch, once, and is refused in tRPC's shape", async () => {
    const client = server.client({ user: ALICE });
    const batch = (n: number) => Promise.all(Array.from({ length: n }, () => client.usageStats(RANGE)));
    await batch(3);
    expect((await ask(ALICE)).headers.get("ratelimit-remaining")).toBe("1");
    const refusal = await batch(2).catch(usageStatsErrorOf);
    expect(refusal).toMatchObject({ code: "rate_limited", httpStatus: 429, limit: "5 reads a minute" });
  });

  it.each([
    ["as it is written usually", "usageStats,usageStats,usageStats"],
    ["with a slash behind it", "usageStats,usageStats,usageStats/"],
    ["with a slash before it", "/usageStats,usageStats,usageStats"],
    ["with slashes around it", "/usageStats,usageStats,usageStats/"],
    ["with its commas encoded", "usageStats%2CusageStats%2cusageStats"],
    ["with its letters encoded", "%75sageStats,u%73ageStats,usageStat%73"],
    ["with a comma behind it", "usageStats,usageStats,usageStats,"],
    ["with others that are none", "nothing,usageStats,usageStats,usageStats,__proto__,usageStats/x"],
  ])("pays for as many questions as are answered, %s", async (_, path) => {
    const { headers } = await server.signed({ user: ALICE });
    const input = { from: RANGE.from.toISOString(), to: RANGE.to.toISOString() };
    const inputs = encodeURIComponent(
      JSON.stringify(Object.fromEntries([0, 1, 2, 3, 4, 5].map((i) => [i, input]))),
    );
    const response = await server.request(`/trpc/${path}?batch=1&input=${inputs}`, {
      headers: { ...headers, "x-forwarded-for": "1.1.1.1" },
    });
    const answers = (await response.json()) as object[];
    const answered = answers.filter((answer) => "result" in answer).length;
    const spent = 5 - Number(response.headers.get("ratelimit-remaining") ?? 5);
    expect(spent).toBe(answered);
    expect(answered).toBeGreaterThan(1);
  });

  it("pays once for a list of names that is no batch, and is no procedure", async () => {
    const { headers } = await server.signed({ user: ALICE });
    const init = { headers: { ...headers, "x-forwarded-for": "1.1.1.1" } };
    expect((await server.request("/trpc/usageStats,usageStats?input=%7B%7D", init)).status).toBe(404);
    expect((await ask(ALICE)).headers.get("ratelimit-remaining")).toBe("4");
  });

  it("has budgets apart for reading and writing", async () => {
    const admin = server.client({ user: "did:abt:z1root", role: "admin" });
    const change = () => admin.admin.rebuild({ dryRun: true });
    await change();
    await change();
    expect(await change().catch(usageStatsErrorOf)).toMatchObject({
      code: "rate_limited",
      limit: "2 writes a minute",
    });
    await admin.admin.usageStats(RANGE);
  });

  it("that is an API key has ten times as much", async () => {
    const admin = server.client({ user: "did:abt:z1root", role: "admin" });
    const { text } = await admin.admin.keys.create({ name: "k", scopes: ["stats:read"], userDid: ALICE });
    const response = await guess(text, "9.9.9.9");
    expect(response.headers.get("ratelimit-limit")).toBe("50");
  });
});

describe("an address", () => {
  it("that tries bad tokens is refused more of them, while those who are known go on", async () => {
    expect((await ask(ALICE, "6.6.6.6")).status).toBe(200);
    const answers = [];
    for (let i = 0; i < 5; i++) answers.push((await guess(`guess${i}`, "6.6.6.6")).status);
    expect(answers).toEqual([401, 401, 401, 429, 429]);
    expect((await guess("usk_aaaaaaaaaaaa_".padEnd(60, "x"), "6.6.6.6")).status).toBe(429);
    expect((await ask(ALICE, "6.6.6.6")).status).toBe(200);
    expect((await guess("guess", "7.7.7.7")).status).toBe(401);
    // A minute later it may try again.
    elapsedMs += 60_001;
    expect((await guess("guess9", "6.6.6.6")).status).toBe(401);
  });

  it("that sends nothing but bad tokens locks nobody out who comes from there with a good one, seen before or not", async () => {
    freshLimits({ budgets: { read: 1_000, write: 1_000, export: 1 } });
    const admin = server.client({ user: "did:abt:z1root", role: "admin" }).admin;
    const { text } = await admin.keys.create({ name: "gateway", scopes: ["stats:read:any"] });
    const { token } = await server.clientWith(text).viewerTokens.create({ userDid: ALICE });
    const session = (await server.signed({ user: "did:abt:z1nobody" })).headers.authorization.slice(7);
    const bad = [
      "guess",
      session.replace(/.$/, (last) => (last === "A" ? "B" : "A")).replace(/\.[^.]+$/, ".AAAA"),
      text.slice(0, -4) + "AAAA",
      `usk_aaaaaaaaaaaa_${text.slice(-43)}`,
      "usk_",
      `${token.slice(0, -4)}AAAA`,
    ];
    for (let round = 0; round < 10; round++) {
      // What a server has seen is nothing when it has just started.
      const started = await createTestServer({ limits, trustedProxies: 1, database: server.database });
      const askIt = (secret: string) =>
        started.request(`${STATS}${secret === text ? `&userDid=${ALICE}` : ""}`, {
          headers: { authorization: `Bearer ${secret}`, "x-forwarded-for": "6.6.6.6" },
        });
      const refused = await Promise.all(bad.map(async (secret) => (await askIt(secret)).status));
      if (round > 0) expect(refused).toEqual(bad.map(() => 429));
      const fresh = (await server.signed({ user: `did:abt:z1user${round}` })).headers.authorization.slice(7);
      for (const good of [fresh, text, token]) expect((await askIt(good)).status).toBe(200);
      for (const secret of bad) expect((await askIt(secret)).status).toBe(429);
      for (const good of [fresh, text, token]) expect((await askIt(good)).status).toBe(200);
    }
  });

  it.each([
    ["bad tokens", STATS, { authorization: "Bearer guess" }],
    ["bad keys", STATS, { authorization: "Bearer usk_aaaaaaaaaaaa_".padEnd(70, "x") }],
    ["bad cookies", STATS, { cookie: "login_token=guess" }],
    ["no token", STATS, {}],
    ["nothing that there is", "/nothing", {}],
  ])(
    "that floods with %s takes nothing from those who come from there with a good token",
    async (_, path, bad) => {
      freshLimits({ address: 5, budgets: { read: 1_000, write: 1_000, export: 1 } });
      const flood = async () => {
        for (let i = 0; i < 10; i++)
          await server.request(path, { headers: { ...bad, "x-forwarded-for": "6.6.6.6" } });
      };
      await flood();
      for (const user of ["a", "b", "c", "d"]) {
        expect((await ask(user, "6.6.6.6")).status).toBe(200);
        await flood();
      }
      const refused = await server.request(path, { headers: { ...bad, "x-forwarded-for": "6.6.6.6" } });
      expect(refused.status).toBe(429);
    },
  );

  it("is told of once in the log where it may be a proxy that is not trusted", async () => {
    const unaware = await createTestServer({ limits, database: server.database });
    const headers = { "x-forwarded-for": "1.2.3.4" };
    await unaware.request(STATS);
    expect(unaware.log).toEqual([]);
    for (let i = 0; i < 3; i++) await unaware.request(STATS, { headers });
    expect(unaware.log).toEqual([expect.stringContaining("set TRUSTED_PROXIES")]);
    expect(unaware.log[0]).not.toContain("1.2.3.4");
    for (let i = 0; i < 3; i++) await server.request(STATS, { headers });
    expect(server.log).toEqual([]);
  });

  it("that only lacks a token is told so, however often", async () => {
    for (let i = 0; i < 10; i++) expect((await server.request(STATS)).status).toBe(401);
  });

  it("has a limit for everything that comes from it", async () => {
    freshLimits({ address: 3 });
    const users = ["a", "b", "c", "d"];
    const statuses = [];
    for (const user of users) statuses.push((await ask(user, "8.8.8.8")).status);
    expect(statuses).toEqual([200, 200, 200, 429]);
    expect((await ask("d", "8.8.8.9")).status).toBe(200);
  });

  it("cannot be made up: only what the trusted proxy added counts", async () => {
    freshLimits({ address: 2 });
    const statuses = [];
    for (let i = 0; i < 3; i++) statuses.push((await ask(`u${i}`, `5.5.5.${i}, 4.4.4.4`)).status);
    expect(statuses).toEqual([200, 200, 429]);
  });
});

it("does not limit whether the server is alive", async () => {
  freshLimits({ address: 1 });
  for (let i = 0; i < 3; i++) expect((await server.request("/health")).status).toBe(200);
});

it.each([
  ["/nothing", "GET", 404],
  ["/app/api/user/nothing", "GET", 404],
  ["/trpc/nothing", "GET", 404],
  ["/app/api/user/usage-stats", "DELETE", 405],
  [`/x?${"x".repeat(9_000)}`, "GET", 414],
])(
  "counts what is for nobody with everything else from an address, and once (%#)",
  async (path, method, status) => {
    freshLimits({ address: 2 });
    const headers = { "x-forwarded-for": "9.9.9.1" };
    const statuses = [];
    for (let i = 0; i < 3; i++) statuses.push((await server.request(path, { method, headers })).status);
    expect(statuses).toEqual([status, status, 429]);
    const refused = await server.request(path, { method, headers });
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    expect((await server.request("/health", { headers })).status).toBe(200);
  },
);

it.each([
  ["ports", (n: number) => `9.9.9.1:${40_000 + n}`],
  ["addresses of one household, each with its port", (n: number) => `[2001:db8::${n + 1}]:${40_000 + n}`],
  ["words that are no address", (n: number) => `_hidden${n}`],
])("cannot be dodged by %s", async (_, address) => {
  freshLimits({ address: 2 });
  const statuses = [];
  for (let n = 0; n < 3; n++)
    statuses.push((await server.request("/nothing", { headers: { "x-forwarded-for": address(n) } })).status);
  expect(statuses).toEqual([404, 404, 429]);
  // Nor does it reach those who come from elsewhere, with ports of their own.
  for (const other of ["9.9.9.2:40000", "[2001:db8:1::1]:40000"])
    expect((await server.request("/nothing", { headers: { "x-forwarded-for": other } })).status).toBe(404);
});

it("counts every change as a write and every export as an export", () => {
  const procedures = Object.entries(
    appRouter._def.procedures as unknown as Record<string, { _def: { type: string } }>,
  );
  const kindOf = (operation: string) => {
    if (operation.endsWith("/export")) return "export";
    const type = procedures.find(([name]) => name === operation)?.[1]._def.type;
    return type === "mutation" || (type === undefined && !operation.startsWith("GET ")) ? "write" : "read";
  };
  const operations = Object.keys(ACCESS).filter(isGuarded);
  expect(operations.length).toBeGreaterThan(5);
  expect(Object.fromEntries(operations.map((name) => [name, budgetOf(name)]))).toEqual(
    Object.fromEntries(operations.map((name) => [name, kindOf(name)])),
  );
});
