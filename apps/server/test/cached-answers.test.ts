import { createUpstashCache } from "@usage-stats/cache";
import { type UsageStatsInput, usageStatsErrorOf } from "@usage-stats/client";
import { UsageStatsError } from "@usage-stats/core";
import { createCallWriter, rollUp } from "@usage-stats/db";
import { createTestDatabase, type TestDatabase } from "@usage-stats/db/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createMetrics } from "../src/serve/metrics.ts";
import { type CacheAdapter, describeCaches } from "./cache-adapters.ts";
import { modelCall } from "./model-calls.ts";
import { createTestServer, type TestServer } from "./test-server.ts";

const now = new Date("2025-06-20T12:00:00Z");
const clock = { now: () => now };
const ALICE = "did:abt:z1alice";
const admin = { user: "did:abt:z1root", role: "admin" as const };
const CLOSED = { from: new Date("2025-06-13T00:00:00Z"), to: new Date("2025-06-20T00:00:00Z") };
const OPEN = { from: new Date("2025-06-13T00:00:00Z"), to: new Date("2025-06-21T00:00:00Z") };
const seconds = (instant: Date) => instant.getTime() / 1000;
const restQuery = ({ from, to }: typeof CLOSED) => `startTime=${seconds(from)}&endTime=${seconds(to) - 1}`;
const REST = `/app/api/user/usage-stats?${restQuery(CLOSED)}`;

let database: TestDatabase;
/** Answers everything from the database. */
let plain: TestServer;

beforeAll(async () => {
  database = await createTestDatabase();
  const calls = Array.from({ length: 120 }, (_, i) =>
    modelCall({
      id: String(i),
      userDid: ["did:abt:z1alice", "did:abt", "z1alice", "did:abt:z1alice:2"][i % 4]!,
      appDid: [null, "z2app1", "z2app2"][i % 3]!,
      providerId: ["openai", "anthropic"][i % 2]!,
      model: `model-${i % 5}`,
      type: i % 7 === 0 ? "embedding" : "chatCompletion",
      status: i % 9 === 0 ? "failed" : "success",
      callTime: new Date(now.getTime() - i * 97 * 60_000 - 1),
    }),
  );
  await createCallWriter(database.orm).record(calls);
  await rollUp(database.orm);
  plain = await createTestServer({ now: clock.now, database });
});
afterAll(async () => {
  await plain.close();
  await database.close();
});

function trpcPath(input: UsageStatsInput, procedure = "usageStats"): string {
  return `/trpc/${procedure}?input=${encodeURIComponent(JSON.stringify(input))}`;
}

type As = { user: string; role?: "user" | "admin" };

async function textAt(server: TestServer, path: string, as: As = { user: ALICE }) {
  const response = await server.get(path, as);
  const { headers, status } = response;
  return {
    status,
    text: await response.text(),
    cacheStatus: headers.get("cache-status"),
    statements: Number(/(\d+) statement/.exec(headers.get("server-timing") ?? "")?.[1]),
    contentType: headers.get("content-type"),
  };
}

/** An answer without what only says where it came from. */
function sameButForSource(text: string): unknown {
  const { result } = JSON.parse(text) as { result: { data: { json: object } } };
  return { ...result.data.json, freshness: null };
}

const OPTIONS: Partial<UsageStatsInput>[] = [
  {},
  { from: new Date("2025-06-13T00:15:00Z") },
  { to: new Date("2025-06-19T23:00:00Z") },
  { timezone: "Asia/Tokyo" },
  { bucket: "day" },
  { bucket: "none" },
  { groupBy: ["model"] },
  { groupBy: ["model", "app"] },
  { groupBy: ["app", "model"] },
  { groupBy: ["model"], topN: 1 },
  { groupBy: ["model"], topN: 1, rankBy: "credits" },
  { topN: 1 },
  { rankBy: "failedCalls" },
  { filter: { appDids: ["z2app1"] } },
  { filter: { providerIds: ["openai"] } },
  { filter: { models: ["model-1"] } },
  { filter: { types: ["embedding"] } },
  { filter: { status: ["failed"] } },
  { compare: "none" },
  { limit: 3 },
  { percentiles: [50, 95, 99] },
  { percentiles: [50, 95], groupBy: ["model"] },
  { percentiles: [50, 95], groupBy: ["model"], rankBy: "credits", topN: 1 },
];

describeCaches((open) => {
  let adapter: CacheAdapter;
  let server: TestServer;
  let down = false;
  beforeAll(async () => {
    adapter = await open();
    server = await createTestServer({
      now: clock.now,
      database,
      cache: adapter.cache(clock),
      repository: (own) => {
        const refuse = async () => {
          throw new UsageStatsError("unavailable", "The database does not answer.");
        };
        return {
          read: (query) => (down ? refuse() : own.read(query)),
          sumCalls: (query, parts) => (down ? refuse() : own.sumCalls(query, parts)),
        };
      },
    });
  });
  afterAll(async () => {
    await server.close();
    await adapter.close();
  });

  /** Asks until the cache answers, which takes as long as a write does. */
  async function textFromCache(path: string, as?: As) {
    await expect.poll(async () => (await textAt(server, path, as)).cacheStatus).toMatch(/; hit/);
    return textAt(server, path, as);
  }

  describe.each([
    ["settled", CLOSED, 0],
    ["reaching up to now", OPEN, 1],
  ])("an answer for a range %s", (_, range, statements) => {
    it.each(OPTIONS)(
      "is that of the database, the first time and every other, by tRPC with %j",
      async (options) => {
        // Within the range, where an option moves an end of it.
        const query = {
          ...range,
          ...options,
          ...(options.to && { to: new Date(range.to.getTime() - 3_600_000) }),
        };
        const path = trpcPath(query);
        const right = (await textAt(plain, path)).text;
        const cold = await textAt(server, path);
        expect(sameButForSource(cold.text)).toEqual(sameButForSource(right));
        expect(cold.statements).toBeGreaterThan(0);
        // Percentiles take another statement beside each that is kept or read live.
        const isTold = options.percentiles !== undefined;
        expect(cold.statements).toBeLessThanOrEqual(isTold ? 5 : 3);
        const hit = await textFromCache(path);
        expect(sameButForSource(hit.text)).toEqual(sameButForSource(right));
        expect(hit.statements).toBe(isTold ? 2 * statements : statements);
      },
    );

    it.each([
      ["its user's", "/app/api/user/usage-stats", { user: ALICE }],
      ["another day's end", "/app/api/user/usage-stats", { user: ALICE }],
      ["everyone's, by REST", "/app/api/user/admin/user-stats", admin],
    ] as const)(
      "is that of the database, the first time and every other, by REST: %s",
      async (name, path, as) => {
        const { from, to } = range;
        const shifted = name.startsWith("another") ? new Date(to.getTime() - 86_400_000) : to;
        const url = `${path}?${restQuery({ from, to: shifted })}&timezone=Asia/Tokyo`;
        const right = await textAt(plain, url, as);
        expect((await textAt(server, url, as)).text).toBe(right.text);
        const hit = await textFromCache(url, as);
        expect(hit).toMatchObject({ text: right.text, status: 200, contentType: right.contentType });
      },
    );

    it("is everyone's for admins alone, by tRPC", async () => {
      const path = trpcPath({ ...range, bucket: "week" }, "admin.usageStats");
      const right = await textAt(plain, path, admin);
      await textAt(server, path, admin);
      const hit = await textFromCache(path, admin);
      expect(sameButForSource(hit.text)).toEqual(sameButForSource(right.text));
      expect(hit.statements).toBe(statements);
      expect((await textAt(server, path)).status).toBe(403);
    });

    it("is never that of a user whose id looks alike", async () => {
      for (const user of ["did:abt:z1alice", "did:abt", "z1alice", "did:abt:z1alice:2", "did:abt:z1nobody"]) {
        const path = trpcPath({ ...range, bucket: "month" });
        const right = await textAt(plain, path, { user });
        await textAt(server, path, { user });
        expect(sameButForSource((await textFromCache(path, { user })).text)).toEqual(
          sameButForSource(right.text),
        );
        const byAdmin = trpcPath({ ...range, bucket: "month", userDid: user });
        expect(sameButForSource((await textFromCache(byAdmin, admin)).text)).toEqual(
          sameButForSource(right.text),
        );
        expect((await textAt(server, byAdmin, { user: "did:abt:z1eve" })).status).toBe(403);
      }
    });
  });

  it("sends by tRPC what tRPC itself would send, byte for byte, alone and in a batch", async () => {
    const right = (await textAt(plain, trpcPath(CLOSED))).text;
    await textFromCache(trpcPath(CLOSED));
    const hit = await textAt(server, trpcPath(CLOSED));
    expect(hit.text).toBe(right.replace('"source":"rollup"', '"source":"cache"'));
    expect(hit.contentType).toBe("application/json");

    const one = JSON.parse(decodeURIComponent(trpcPath(CLOSED).split("input=")[1]!)) as unknown;
    const batch = `/trpc/usageStats,usageStats?batch=1&input=${encodeURIComponent(JSON.stringify({ 0: one, 1: one }))}`;
    const rightBatch = (await textAt(plain, batch)).text;
    expect((await textAt(server, batch)).text).toBe(
      rightBatch.replaceAll('"source":"rollup"', '"source":"cache"'),
    );
  });

  it("keeps the order of a filter's list and a cursor's page apart as far as they matter", async () => {
    const some = await server.client({ user: ALICE }).usageStats({ ...CLOSED, limit: 5 });
    const next = await server
      .client({ user: ALICE })
      .usageStats({ ...CLOSED, limit: 5, cursor: some.nextCursor! });
    expect(next.series[0]!.start).not.toEqual(some.series[0]!.start);
    await textFromCache(trpcPath({ ...CLOSED, filter: { models: ["model-1", "model-2"] } }));
    const other = await textAt(server, trpcPath({ ...CLOSED, filter: { models: ["model-2", "model-1"] } }));
    expect(other.cacheStatus).toMatch(/; hit/);
  });

  it("asks the database for admins who want no cache, and refuses that to others", async () => {
    await textFromCache(trpcPath(CLOSED), admin);
    for (const path of [trpcPath({ ...CLOSED, noCache: true }), `${REST}&noCache=true`]) {
      const answer = await textAt(server, path, admin);
      expect(answer).toMatchObject({ status: 200, cacheStatus: "usage-stats; fwd=bypass", statements: 1 });
      expect((await textAt(server, path)).status).toBe(403);
    }
    const refusal = server.client({ user: ALICE }).usageStats({ ...CLOSED, noCache: true });
    expect(usageStatsErrorOf(await refusal.catch((error: unknown) => error))).toMatchObject({
      code: "forbidden",
      field: "noCache",
    });
    expect((await textAt(server, `${REST}&noCache=yes`, admin)).status).toBe(400);
  });

  it("still gives what it has of settled ranges while the database is down, and says so for the others", async () => {
    await textFromCache(trpcPath(CLOSED));
    await textFromCache(REST);
    await textFromCache(trpcPath(OPEN));
    down = true;
    try {
      expect((await textAt(server, trpcPath(CLOSED))).status).toBe(200);
      expect((await textAt(server, REST)).status).toBe(200);
      expect((await textAt(server, trpcPath(OPEN))).status).toBe(503);
      expect((await textAt(server, trpcPath({ ...CLOSED, topN: 9 }))).status).toBe(503);
    } finally {
      down = false;
    }
    expect((await textAt(server, trpcPath({ ...CLOSED, topN: 9 }))).status).toBe(200);
  });

  it("asks who it is before it gives anything", async () => {
    await textFromCache(trpcPath(CLOSED));
    expect((await server.request(trpcPath(CLOSED))).status).toBe(401);
    expect((await server.request(REST)).status).toBe(401);
  });
});

describe("a store that cannot be reached", () => {
  it("changes no answer, and shows in the metrics, which are for admins", async () => {
    const metrics = createMetrics();
    const cache = createUpstashCache({
      url: "http://127.0.0.1:9",
      token: "x",
      clock,
      ttlMs: 60_000,
      deadlineMs: 50,
      onEvent: metrics.onCacheEvent,
    });
    const server = await createTestServer({ now: clock.now, database, cache, metrics });
    const right = (await textAt(plain, REST)).text;
    for (let i = 0; i < 8; i++)
      expect(await textAt(server, REST)).toMatchObject({
        text: right,
        cacheStatus: "usage-stats; fwd=bypass",
      });
    const shown = await textAt(server, "/metrics", admin);
    expect(shown.text).toMatch(/^usage_stats_cache_breaker_state 2$/m);
    expect(shown.text).toMatch(/^usage_stats_cache_breaker_transitions_total\{state="open"\} 1$/m);
    expect(shown.text).toMatch(/^usage_stats_cache_failures_total\{operation="read"\} 5$/m);
    expect(shown.text).toMatch(/^usage_stats_cache_lookups_total\{outcome="bypass",kind="rest"\} 8$/m);
    expect((await textAt(server, "/metrics")).status).toBe(403);
    expect((await server.request("/metrics")).status).toBe(401);
    await server.close();
  });
});
