import { createInProcessCache, type SharedCache } from "@usage-stats/cache";
import { createCallWriter, createUsageRepository } from "@usage-stats/db";
import { Hono } from "hono";
import { secureHeaders } from "hono/secure-headers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createCacheWarmer } from "../src/serve/cache-warmer.ts";
import { createMetrics } from "../src/serve/metrics.ts";
import { modelCall } from "./model-calls.ts";
import { createTestServer, type TestServer } from "./test-server.ts";

const ALICE = "did:abt:z1alice";
const START = Date.parse("2025-06-20T12:00:00Z");
const HOUR = 3_600_000;
const SETTLED = "startTime=1750204800&endTime=1750377599";
/** Its end is not settled when the first request comes, and would be at another look at the clock. */
const UP_TO_NOW = `startTime=1750204800&endTime=${START / 1000 + 600}`;
const inputOf = (query: string) => {
  const [start, end] = [...query.matchAll(/=(\d+)/g)].map(([, seconds]) => Number(seconds) * 1000);
  return { from: new Date(start!).toISOString(), to: new Date(end! + 1000).toISOString() };
};
const trpc = (procedure: string, input: object) =>
  `/trpc/${procedure}?input=${encodeURIComponent(JSON.stringify(input))}`;

describe("a request", () => {
  let server: TestServer;
  let headers: { authorization: string };
  let reads = 0;

  beforeAll(async () => {
    // Every look at this clock is an hour later.
    const now = () => new Date(START + HOUR * reads++);
    const clock = { now: () => new Date(START) };
    const cache = createInProcessCache({ clock, ttlMs: 60_000, maxBytes: 50_000_000 });
    server = await createTestServer({ now, cache });
    await createCallWriter(server.database.orm).record([modelCall()]);
    ({ headers } = await server.signed({ user: ALICE, role: "admin" }));
  });
  afterAll(() => server.close());

  type Init = { method?: string; body?: string; headers?: Record<string, string> };

  async function ask(path: string, init: Init = {}): Promise<Response> {
    reads = 0;
    const sent = { ...headers, ...(init.method === "POST" && { "content-type": "application/json" }) };
    return server.request(path, { ...init, headers: { ...sent, ...init.headers } });
  }

  it.each<[string, string, Init?]>([
    ["a settled range by REST, and again", `/app/api/user/usage-stats?${SETTLED}`],
    ["a settled range by tRPC, and again", trpc("usageStats", inputOf(SETTLED))],
    ["a range up to now by REST, and again", `/app/api/user/usage-stats?${UP_TO_NOW}`],
    ["a range up to now by tRPC, and again", trpc("usageStats", inputOf(UP_TO_NOW))],
    ["usage as CSV, and again", `/app/api/user/usage-stats?${SETTLED}`, { headers: { accept: "text/csv" } }],
    ["a ranking", `/app/api/admin/usage-by/user?${SETTLED}`],
    ["a ranking by tRPC", trpc("admin.usageByModel", inputOf(SETTLED))],
    ["a list of calls", `/app/api/user/model-calls?${SETTLED}`],
    [
      "a viewer token",
      "/app/api/viewer-tokens",
      { method: "POST", body: JSON.stringify({ userDid: ALICE }) },
    ],
    ["a key", "/trpc/admin.keys.create", { method: "POST", body: '{"name":"k","scopes":["calls:write"]}' }],
    ["a rebuild", "/app/api/admin/rebuild", { method: "POST", body: "{}" }],
    ["the metrics", "/metrics"],
  ])("for %s looks at the clock once", async (_, path, init) => {
    for (let i = 0; i < 2; i += 1) {
      expect((await ask(path, init)).status).toBeLessThan(300);
      expect(reads).toBe(1);
    }
  });

  it("is answered as of when it came, in every part of the answer", async () => {
    const response = await ask(trpc("usageStats", { ...inputOf(UP_TO_NOW), bucket: "15m" }));
    const { result } = (await response.json()) as {
      result: { data: { json: { freshness: { computedAt: string }; series: { partial: boolean }[] } } };
    };
    const { freshness, series } = result.data.json;
    expect(freshness.computedAt).toBe(new Date(START).toISOString());
    expect(series.at(-1)!.partial).toBe(true);
  });

  it("has the security headers of Hono's middleware, whatever it is answered with", async () => {
    const policy = { defaultSrc: ["'none'"], frameAncestors: ["'none'"] };
    const secured = new Hono()
      .use(secureHeaders({ contentSecurityPolicy: policy, xFrameOptions: "DENY" }))
      .get("/", (context) => context.body(null));
    const expected = Object.fromEntries((await secured.request("/")).headers);
    expect(Object.keys(expected).length).toBeGreaterThan(5);
    for (const path of [`/app/api/user/usage-stats?${SETTLED}`, "/health", "/nothing", "/trpc/nothing"])
      expect(Object.fromEntries((await ask(path)).headers)).toMatchObject(expected);
  });
});

describe("usage as CSV", () => {
  let server: TestServer;
  let cache: SharedCache;
  const metrics = createMetrics();
  const clock = { now: () => new Date(START) };
  const path = `/app/api/user/usage-stats?${SETTLED}`;
  let warmer: ReturnType<typeof createCacheWarmer>;

  beforeAll(async () => {
    cache = createInProcessCache({
      clock,
      ttlMs: 60_000,
      maxBytes: 50_000_000,
      onEvent: metrics.onCacheEvent,
    });
    server = await createTestServer({
      now: clock.now,
      cache,
      metrics,
      onQuery: (format, query) => warmer.onQuery(format, query),
    });
    warmer = createCacheWarmer(
      { repository: createUsageRepository(server.database.orm), cache, clock },
      (error) => {
        throw error;
      },
    );
    await createCallWriter(server.database.orm).record([
      modelCall({ callTime: new Date(1_750_300_000_000) }),
    ]);
  });
  afterAll(async () => {
    await warmer.close();
    await server.close();
  });

  async function csv(query = ""): Promise<{ text: string; cacheStatus: string | null }> {
    const { headers } = await server.signed({ user: ALICE });
    const response = await server.request(path + query, { headers: { ...headers, accept: "text/csv" } });
    const text = Buffer.from(await response.arrayBuffer()).toString();
    return { text, cacheStatus: response.headers.get("cache-status") };
  }

  it("is cached as it is sent, with or without a byte order mark, and counted as what it is", async () => {
    const made = await csv();
    expect(made.text).toMatch(/^date,type,calls.*\r\n2025-06-19,chatCompletion,1,/);
    await expect.poll(async () => (await csv()).cacheStatus).toMatch(/; hit/);
    expect((await csv()).text).toBe(made.text);
    expect((await csv("&bom=true")).text).toBe(`\uFEFF${made.text}`);
    const shown = await metrics.text();
    expect(shown).toMatch(/^usage_stats_cache_lookups_total\{outcome="miss",kind="csv"\} 1$/m);
    expect(shown).toMatch(/^usage_stats_cache_lookups_total\{outcome="hit",kind="csv"\} \d+$/m);
    expect(shown).not.toMatch(/kind="trpc"/);
  });

  it("is warmed as CSV", async () => {
    await cache.invalidate([ALICE]);
    await warmer.warm(ALICE);
    await cache.close();
    expect((await csv()).cacheStatus).toMatch(/; hit/);
  });
});
