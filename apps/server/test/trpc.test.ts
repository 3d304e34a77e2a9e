import { createUsageClient, usageStatsErrorOf } from "@usage-stats/client";
import { createCallWriter } from "@usage-stats/db";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { modelCall } from "./model-calls.ts";
import { createTestServer, type TestServer } from "./test-server.ts";

const now = new Date("2025-06-20T12:00:00Z");
const ALICE = "did:abt:z1alice";
const range = { from: new Date("2025-06-19T00:00:00Z"), to: new Date("2025-06-21T00:00:00Z") };
let server: TestServer;

beforeAll(async () => {
  server = await createTestServer({ now: () => now });
  await createCallWriter(server.database.orm).record([
    modelCall({ userDid: ALICE, appDid: "z2app1", cachedInputTokens: 2, durationMs: 100, ttfbMs: 50 }),
  ]);
});
afterAll(() => server.close());

async function refusalOf(attempt: Promise<unknown>) {
  const error = await attempt.then(
    () => null,
    (reason: unknown) => reason,
  );
  return usageStatsErrorOf(error);
}

describe("the typed client", () => {
  it("gives and takes Dates, and fills in the defaults", async () => {
    const stats = await server.client({ user: ALICE }).usageStats(range);
    expect(stats.range).toEqual({ ...range, timezone: "UTC", bucket: "hour" });
    expect(stats.series).toHaveLength(48);
    expect(stats.series[0]!.start).toEqual(range.from);
    expect(stats.totals).toMatchObject({
      calls: 1,
      cachedInputTokens: 2,
      credits: "0.10000000",
      durationMs: { avg: 100 },
    });
    expect(stats.freshness).toEqual({
      computedAt: now,
      liveFrom: new Date("2025-06-20T10:00:00.000Z"),
      source: "rollup+live",
    });
    expect(stats.series.filter(({ partial }) => partial)).toHaveLength(12);
  });

  it("is told percentiles, in ascending order and to 2.5 %, where it asks for them", async () => {
    const { percentiles } = await server
      .client({ user: ALICE })
      .usageStats({ ...range, percentiles: [99.9, 50] });
    expect(Object.keys(percentiles!.durationMs!)).toEqual(["count", "p50", "p99.9"]);
    expect(percentiles!.durationMs).toMatchObject({ count: 1, p50: percentiles!.durationMs!["p99.9"]! });
    expect(Math.abs(percentiles!.durationMs!["p50"]! - 100)).toBeLessThanOrEqual(2.5);
    const refused = server.client({ user: ALICE }).usageStats({ ...range, percentiles: [50, 50] });
    expect(await refusalOf(refused)).toMatchObject({ code: "invalid_option", field: "percentiles" });
  });

  it("asks several questions in one request", async () => {
    const client = server.client({ user: ALICE });
    const answers = await Promise.all(
      ["day", "week", "month"].map((bucket) => client.usageStats({ ...range, bucket: bucket as "day" })),
    );
    expect(answers.map(({ range: { bucket } }) => bucket)).toEqual(["day", "week", "month"]);
  });

  it("walks the pages to the end", async () => {
    const client = server.client({ user: ALICE });
    let cursor: string | undefined;
    let buckets = 0;
    do {
      const page = await client.usageStats({ ...range, limit: 20, ...(cursor && { cursor }) });
      buckets += page.series.length;
      cursor = page.nextCursor ?? undefined;
    } while (cursor);
    expect(buckets).toBe(48);
  });

  it("tells a refusal's code, field and limit", async () => {
    const client = server.client({ user: ALICE });
    expect(
      await refusalOf(client.usageStats({ ...range, bucket: "15m", to: new Date("2025-07-20T00:00:00Z") })),
    ).toMatchObject({ code: "range_too_long", httpStatus: 400, field: "to", limit: "7 days" });
    expect(await refusalOf(client.usageStats({ ...range, timezone: "Mars/Base" }))).toMatchObject({
      code: "invalid_timezone",
      field: "timezone",
    });
    expect(await refusalOf(client.usageStats({ ...range, topN: 0 }))).toMatchObject({
      code: "invalid_option",
      field: "topN",
    });
    expect(await refusalOf(client.usageStats({ ...range, rankBy: "spend" as never }))).toMatchObject({
      code: "invalid_option",
      field: "rankBy",
    });
    expect(await refusalOf(client.usageStats({ ...range, groupBy: ["app", "model", "type"] }))).toMatchObject(
      { code: "invalid_option", field: "groupBy" },
    );
    expect(await refusalOf(client.usageStats({ ...range, filter: { models: ["a\0b"] } }))).toMatchObject({
      code: "invalid_option",
      field: "filter.models.0",
    });
    expect(await refusalOf(client.usageStats({ ...range, sort: "x" } as never))).toMatchObject({
      code: "unknown_field",
      field: "sort",
    });
    expect(await refusalOf(client.usageStats({ ...range, cursor: "abc" }))).toMatchObject({
      code: "invalid_cursor",
    });
  });

  it("reads others' usage for an admin only", async () => {
    const ofAlice = { ...range, userDid: ALICE };
    expect(await refusalOf(server.client({ user: "did:abt:z1bob" }).usageStats(ofAlice))).toMatchObject({
      code: "forbidden",
      httpStatus: 403,
    });
    expect(await refusalOf(server.client({ user: "did:abt:z1bob" }).admin.usageStats(range))).toMatchObject({
      code: "forbidden",
      httpStatus: 403,
    });
    const admin = server.client({ user: "did:abt:z1root", role: "admin" });
    expect((await admin.usageStats(ofAlice)).totals.calls).toBe(1);
    expect((await admin.admin.usageStats(range)).totals.calls).toBe(1);
    expect((await admin.usageStats(range)).totals.calls).toBe(0);
  });

  it("is told 401 without a good token, before its input is looked at", async () => {
    const stranger = createUsageClient({
      url: "http://localhost",
      token: "nonsense",
      fetch: ((url: string, init?: RequestInit) => server.request(url, init)) as typeof fetch,
    });
    expect(await refusalOf(stranger.usageStats({ ...range, timezone: "Mars/Base" }))).toMatchObject({
      code: "invalid_token",
      httpStatus: 401,
    });
  });
});

describe("tRPC over HTTP", () => {
  it("refuses superjson's ways of making things in the input", async () => {
    const bomb = encodeURIComponent(
      JSON.stringify({ json: { from: 2e9 }, meta: { values: { from: [["typed-array", "Float64Array"]] } } }),
    );
    const response = await server.get(`/trpc/usageStats?input=${bomb}`, { user: ALICE });
    expect(response.status).toBe(400);
    expect(process.memoryUsage().arrayBuffers).toBeLessThan(1e9);
  });

  it("takes ten questions at once, and refuses more, and a URL that is too long", async () => {
    const batch = (size: number) => {
      const input = Object.fromEntries(
        Array.from({ length: size }, (_, i) => [i, { ...range, bucket: "none" }]),
      );
      const names = Array.from({ length: size }, () => "usageStats").join();
      return server.get(`/trpc/${names}?batch=1&input=${encodeURIComponent(JSON.stringify(input))}`, {
        user: ALICE,
      });
    };
    expect((await batch(10)).status).toBe(200);
    const refused = await batch(11);
    expect(refused.status).toBe(400);
    expect(await refused.text()).toMatch(/batch/i);
    const long = await server.get(`/trpc/usageStats?input=${"x".repeat(8_200)}`, { user: ALICE });
    expect(long.status).toBe(414);
    expect(await long.json()).toMatchObject({
      code: "url_too_long",
      limit: "8192",
      requestId: expect.any(String) as string,
    });
    expect(long.headers.get("x-request-id")).not.toBeNull();
  });

  it("answers an unknown procedure, broken JSON and a missing input with 4xx and no stack", async () => {
    for (const path of [
      "/trpc/nothing",
      "/trpc/usageStats?input=%7B",
      "/trpc/usageStats",
      "/trpc/usageStats?input=null",
    ]) {
      const response = await server.get(path, { user: ALICE });
      expect(response.status).toBeGreaterThanOrEqual(400);
      expect(response.status).toBeLessThan(500);
      expect(await response.text()).not.toMatch(/stack|node_modules|at \//);
    }
    expect(server.errors).toEqual([]);
  });
});
