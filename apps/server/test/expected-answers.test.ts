import { createReadStream, existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { createInProcessCache } from "@usage-stats/cache";
import { parseModelCall, type UsageStats } from "@usage-stats/api";
import { type ModelCall } from "@usage-stats/core";
import { countChanges, createCallWriter, rollUp } from "@usage-stats/db";
import { Big } from "big.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestServer, type TestServer } from "./test-server.ts";

const SHARED = join(import.meta.dirname, "../../../../shared/data");
const QUERIES = existsSync(SHARED)
  ? readFileSync(join(SHARED, "expected/queries.tsv"), "utf8").trim().split("\n").slice(1).map(readQuery)
  : [];

type Query = { file: string; user: string; startTime: number; endTime: number; timezone: string };
type Totals = { totalUsage: number; totalCredits: number; totalCalls: number };
type Expected = {
  summary: Totals;
  dailyStats: (Totals & { date: string; timestamp: number })[];
  modelStats: (Totals & { model: string })[];
  trendComparison: { current: Totals; previous: Totals; growth: unknown };
};

function readQuery(line: string): Query {
  const [file, user, startTime, endTime, timezone] = line.split("\t") as [
    string,
    string,
    string,
    string,
    string,
  ];
  return { file, user, startTime: Number(startTime), endTime: Number(endTime), timezone };
}

// A checkout without the shared data still runs everything else; the skip is visible in the report.
describe.skipIf(QUERIES.length === 0).each([
  ["never", "answered by the database"],
  ["half", "answered by the database"],
  ["all", "answered by the database"],
  ["all", "kept"],
] as const)("30 days of real calls, rolled up %s, %s", (rolledUp, from) => {
  let server: TestServer;
  let atFirst: number;
  let waiting: number;

  beforeAll(async () => {
    const clock = { now: () => new Date() };
    const cache =
      from === "kept" ? createInProcessCache({ clock, ttlMs: 600_000, maxBytes: 100_000_000 }) : null;
    server = await createTestServer({ cache });
    const callWriter = createCallWriter(server.database.orm);
    const batch: ModelCall[] = [];
    for await (const line of createInterface({
      input: createReadStream(join(SHARED, "model-calls-30d.jsonl")),
    })) {
      const parsed = parseModelCall(JSON.parse(line));
      if (!("call" in parsed)) throw new Error(`${parsed.field}: ${parsed.reason}`);
      batch.push(parsed.call);
      if (batch.length === 2000) await callWriter.record(batch.splice(0));
    }
    await callWriter.record(batch);
    atFirst = waiting = await countChanges(server.database.orm);
    if (rolledUp === "never") return;
    const half = new AbortController();
    const onProgress = (done: number, total: number) =>
      rolledUp === "half" && done > total / 2 && half.abort();
    await rollUp(server.database.orm, { batchSize: 500, signal: half.signal, onProgress });
    waiting = await countChanges(server.database.orm);
  });
  afterAll(() => server.close());

  it("are rolled up as far as this says", () => {
    const far = waiting === atFirst ? "never" : waiting === 0 ? "all" : "half";
    expect(far).toBe(rolledUp);
  });

  it("are all of the expected answers", () => {
    expect(QUERIES.map(({ file }) => `${file}.json`).toSorted()).toEqual(
      readdirSync(join(SHARED, "expected"))
        .filter((name) => name.endsWith(".json"))
        .toSorted(),
    );
  });

  it.each(QUERIES)(
    "REST answers $file as brute force does",
    async ({ file, user, startTime, endTime, timezone }) => {
      const expected = JSON.parse(readFileSync(join(SHARED, `expected/${file}.json`), "utf8")) as Expected;
      const path = user === "*" ? "/app/api/user/admin/user-stats" : "/app/api/user/usage-stats";
      const as = user === "*" ? { user: "did:abt:z1admin", role: "admin" as const } : { user };
      const url = `${path}?${new URLSearchParams({ startTime: String(startTime), endTime: String(endTime), timezone })}`;
      if (from === "kept") await server.get(url, as);
      const response = await server.get(url, as);
      expect(response.status).toBe(200);
      expect(response.headers.get("cache-status")).toMatch(from === "kept" ? /; hit/ : /fwd=bypass/);
      const answer = (await response.json()) as Expected;

      expect(answer.summary).toEqual(expected.summary);
      expect(answer.dailyStats.map(({ timestamp: _, ...day }) => day)).toEqual(expected.dailyStats);
      for (const { date, timestamp } of answer.dailyStats)
        expect(new Date(timestamp * 1000).toISOString()).toBe(`${date}T00:00:00.000Z`);
      expect(answer.modelStats).toMatchObject(expected.modelStats.slice(0, 5));
      expect(answer.modelStats).toHaveLength(Math.min(5, expected.modelStats.length));
      expect(answer.trendComparison).toMatchObject(expected.trendComparison);
    },
  );

  it.each(QUERIES)(
    "tRPC agrees on $file, and its parts add up to its totals",
    async ({ file, user, startTime, endTime, timezone }) => {
      const expected = JSON.parse(readFileSync(join(SHARED, `expected/${file}.json`), "utf8")) as Expected;
      const query = {
        from: new Date(startTime * 1000),
        to: new Date((endTime + 1) * 1000),
        timezone,
        topN: 2,
        groupBy: ["app" as const],
      };
      const ask = () =>
        user === "*"
          ? server.client({ user: "did:abt:z1admin", role: "admin" }).admin.usageStats(query)
          : server.client({ user }).usageStats(query);
      if (from === "kept") await ask();
      const stats = await ask();
      expect(stats.freshness.source === "cache").toBe(from === "kept");

      const { totals, models, groups, series, comparison } = stats;
      expect({
        totalUsage: totals.totalUsage,
        totalCalls: totals.calls,
        totalCredits: Number(totals.credits),
      }).toEqual({
        totalUsage: expected.summary.totalUsage,
        totalCalls: expected.summary.totalCalls,
        totalCredits: expected.summary.totalCredits,
      });
      expect(comparison!.totals.calls).toBe(expected.trendComparison.previous.totalCalls);
      expect(models.count).toBe(expected.modelStats.length);
      expect(added(series.map(({ metrics }) => metrics))).toEqual(added([totals]));
      expect(
        added([...models.items.map(({ metrics }) => metrics), ...(models.other ? [models.other] : [])]),
      ).toEqual(added([totals]));
      expect(
        added([...groups!.items.map(({ metrics }) => metrics), ...(groups!.other ? [groups!.other] : [])]),
      ).toEqual(added([totals]));
      for (const item of series)
        expect(added(item.groups!.map(({ metrics }) => metrics))).toEqual(added([item.metrics]));
    },
  );
});

/** Exact sums of what can be added up. */
function added(metrics: UsageStats["totals"][]) {
  const sum = (
    field: "calls" | "successCalls" | "failedCalls" | "inputTokens" | "outputTokens" | "totalUsage",
  ) => metrics.reduce((total, one) => total + one[field], 0);
  return {
    calls: sum("calls"),
    successCalls: sum("successCalls"),
    failedCalls: sum("failedCalls"),
    inputTokens: sum("inputTokens"),
    outputTokens: sum("outputTokens"),
    totalUsage: sum("totalUsage"),
    credits: metrics.reduce((total, one) => total.plus(one.credits), Big(0)).toFixed(8),
  };
}
