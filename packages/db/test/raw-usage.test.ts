import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { getUsageStats, type UsageStatsQuery } from "@usage-stats/core";
import { createCallWriter, createUsageRepository, openDatabase } from "../src/index.ts";
import { createTestDatabase, type TestDatabase, readRawUsage } from "../src/testing/index.ts";
import { modelCall } from "./model-calls.ts";

let database: TestDatabase;
const user = "did:abt:z1test";
const query: UsageStatsQuery = {
  userDid: user,
  from: new Date("2025-06-15T00:00:00Z"),
  to: new Date("2025-06-17T00:00:00Z"),
  timezone: "UTC",
  bucket: "day",
  groupBy: [],
  filter: {},
  rankBy: "calls",
  topN: 5,
  compare: "previous",
};

async function ask(change: Partial<UsageStatsQuery> = {}) {
  const now = new Date("2025-06-16T12:00:00Z");
  return getUsageStats(
    { repository: createUsageRepository(database.orm, readRawUsage), cache: null, now },
    { ...query, ...change },
  );
}

beforeAll(async () => {
  database = await createTestDatabase();
  const at = (time: string, change = {}) =>
    modelCall({ id: time + JSON.stringify(change), callTime: new Date(time), ...change });
  await createCallWriter(database.orm).record([
    at("2025-06-12T23:59:59.999Z"),
    at("2025-06-13T00:00:00Z"),
    at("2025-06-14T23:59:59.999Z", { status: "failed", durationMs: 5 }),
    at("2025-06-15T00:00:00Z"),
    at("2025-06-15T10:00:00Z", { status: "failed", appDid: null, durationMs: 77_777 }),
    at("2025-06-15T10:30:00Z", {
      status: "processing",
      model: "o3",
      inputTokens: null,
      outputTokens: null,
      totalUsage: null,
      durationMs: null,
      ttfbMs: null,
    }),
    at("2025-06-16T23:59:59.999Z", {
      type: "imageGeneration",
      model: "gpt-image-1",
      totalUsage: 4,
      durationMs: 2_100,
    }),
    at("2025-06-17T00:00:00Z"),
    at("2025-06-15T12:00:00Z", { userDid: "did:abt:z1other" }),
  ]);
});
afterAll(() => database.close());

describe("raw calls", () => {
  it("are counted from the first instant of a range up to, but not at, its last, for one user", async () => {
    const { stats } = await ask();
    expect(stats.totals).toMatchObject({
      calls: 4,
      successCalls: 2,
      failedCalls: 1,
      inputTokens: 300,
      totalUsage: 244,
      credits: "0.00493824",
    });
    expect(stats.series.map(({ label, metrics, partial }) => [label, metrics.calls, partial])).toEqual([
      ["2025-06-15", 3, false],
      ["2025-06-16", 1, true],
    ]);
    expect(stats.comparison).toMatchObject({
      range: { from: new Date("2025-06-13T00:00:00Z"), to: query.from },
      totals: { calls: 2 },
      change: { calls: 1 },
    });
  });

  it("count latencies of successful calls that told theirs", async () => {
    const { stats } = await ask();
    expect(stats.totals.durationMs).toEqual({ avg: 1500 });
    expect((await ask({ filter: { status: ["failed"] } })).stats.totals.durationMs).toBeNull();
  });

  it("are all users' calls together for a question about all", async () => {
    expect((await ask({ userDid: null })).stats.totals.calls).toBe(5);
  });

  it("answer in one statement", async () => {
    expect((await ask({ groupBy: ["app", "status"] })).cost.statements).toBe(1);
  });

  it("rank models and fold the rest into other", async () => {
    const { models } = (await ask({ topN: 1 })).stats;
    expect(models).toMatchObject({
      items: [{ model: "gpt-4o", share: 0.5, metrics: { calls: 2 } }],
      other: { calls: 2, totalUsage: 4 },
      count: 3,
    });
    expect((await ask({ topN: 3 })).stats.models.other).toBeNull();
  });

  it("group by app, where no app is a group of its own", async () => {
    const { stats } = await ask({ groupBy: ["app"], topN: 1 });
    expect(stats.groups).toMatchObject({
      items: [{ key: { app: "z2app1" }, metrics: { calls: 3 } }],
      other: { calls: 1 },
      count: 2,
    });
    expect(stats.series[0]!.groups).toMatchObject([
      { key: { app: "z2app1" }, metrics: { calls: 2 } },
      { key: null, metrics: { calls: 1 } },
    ]);
  });

  it.each([
    [{ models: ["o3", "gpt-image-1"] }, 2],
    [{ types: ["imageGeneration" as const] }, 1],
    [{ appDids: ["z2app1"], status: ["success" as const] }, 2],
    [{ providerIds: ["nobody"] }, 0],
  ])("match every list of the filter %j", async (filter, calls) => {
    expect((await ask({ filter })).stats.totals.calls).toBe(calls);
  });

  it("give zeros, no models and no change for someone who never called", async () => {
    const { stats } = await ask({ userDid: "did:abt:z1nobody", groupBy: ["model"] });
    expect(stats.totals).toMatchObject({ calls: 0, credits: "0.00000000", durationMs: null });
    expect(stats).toMatchObject({
      byType: {},
      models: { items: [], other: null, count: 0 },
      groups: { items: [], other: null, count: 0 },
    });
    expect(stats.comparison!.change).toEqual({ calls: null, usage: null, credits: null });
    expect(stats.series).toHaveLength(2);
  });

  it("give no series and no comparison where none are asked for", async () => {
    const { stats } = await ask({ bucket: "none", compare: "none" });
    expect(stats).toMatchObject({ series: [], comparison: null, totals: { calls: 4 } });
  });

  it("keep totals whole while the series is paged", async () => {
    const { stats } = await ask({ limit: 1 });
    expect(stats.series.map(({ label }) => label)).toEqual(["2025-06-16"]);
    expect(stats.totals.calls).toBe(4);
  });

  it("are refused as a whole, never in part, when the database gives up", async () => {
    const hurried = await openDatabase({ url: database.url, statementTimeoutMs: 50 });
    const blocker = database.orm.em.fork();
    try {
      await blocker.begin();
      await blocker.execute("lock table model_calls in access exclusive mode");
      const repository = createUsageRepository(hurried, readRawUsage);
      await expect(getUsageStats({ repository, cache: null, now: query.to }, query)).rejects.toMatchObject({
        code: "unavailable",
      });
    } finally {
      await blocker.rollback();
      await hurried.close();
    }
  });

  it("are found through idx_model_calls_user_time_type", async () => {
    const em = database.orm.em.fork();
    await em.execute(`insert into model_calls (user_did, id, call_time, provider_id, model, type, status)
      select 'u' || i % 500, i::text, timestamptz '2025-06-01' + i * interval '30 seconds', 'p', 'm', 'embedding', 'success' from generate_series(1, 50000) i`);
    await em.execute("analyze model_calls");
    const plan = await em.execute<Record<string, string>[]>(
      "explain select count(*) from model_calls where user_did = 'u7' and call_time >= '2025-06-03' and call_time < '2025-06-05'",
    );
    const text = plan.map((row) => row["QUERY PLAN"]).join("\n");
    expect(text).toMatch(/model_calls_2025_06_pkey/);
    const [index] = await em.execute<{ parent: string }[]>(
      "select inhparent::regclass::text as parent from pg_inherits where inhrelid = 'model_calls_2025_06_pkey'::regclass",
    );
    expect(index!.parent).toBe("idx_model_calls_user_time_type");
  });
});
