import { type RestUsageStats, type UsageStats } from "@usage-stats/api";
import { createInProcessCache } from "@usage-stats/cache";
import { type Metrics, type MetricsByType, metricsOf, RANKING_METRICS } from "@usage-stats/core";
import { createCallWriter, rollUp } from "@usage-stats/db";
import { parse } from "csv-parse/sync";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { DEMO_USER, demoCalls } from "../src/demo/demo-calls.ts";
import { createTestServer, type TestServer } from "./test-server.ts";

const RUNS = 40 * Math.max(1, Number(process.env["LONG"] ?? 1));
const NOW = new Date("2026-03-29T09:20:34.567Z");
const DAY = 86_400;
const CALLS = [...demoCalls({ now: NOW, days: 40, calls: 3_000, users: 6 })];
/** Seconds in which calls were made: to end in one of them is to count it. */
const SECONDS = CALLS.filter(({ userDid }) => userDid === DEMO_USER).map(({ callTime }) =>
  Math.floor(callTime.getTime() / 1000),
);

let server: TestServer;

beforeAll(async () => {
  const cache = createInProcessCache({ clock: { now: () => NOW }, ttlMs: 600_000, maxBytes: 100_000_000 });
  server = await createTestServer({ cache, now: () => NOW });
  const writer = createCallWriter(server.database.orm);
  await writer.record(CALLS.slice(0, 2_000));
  await rollUp(server.database.orm);
  // The last are not rolled up, and late ones were not either.
  await writer.record(CALLS.slice(2_000));
  await writer.record(
    CALLS.slice(0, 40).map((call, i) => ({
      ...call,
      id: `late-${call.id}`,
      credits: i % 3 === 0 ? null : "0.00000001",
      cacheWriteTokens: i,
      reasoningTokens: 2 * i,
    })),
  );
});
afterAll(() => server.close());

const questions = fc.record({
  whose: fc.constantFrom("one" as const, "everyone" as const),
  // Up to now and beyond, in whole days, from second to second, and at calls.
  endTime: fc.oneof(
    fc.constantFrom(...SECONDS.slice(SECONDS.length / 2)),
    fc.integer({ min: -30 * DAY, max: DAY }).map((seconds) => Math.floor(NOW.getTime() / 1000) + seconds),
    fc.integer({ min: -30, max: 1 }).map((days) => (Math.floor(NOW.getTime() / 1000 / DAY) + days) * DAY - 1),
  ),
  seconds: fc.oneof(
    fc.integer({ min: 1, max: 12 * DAY }),
    fc.integer({ min: 1, max: 12 }).map((days) => days * DAY),
  ),
  timezone: fc.constantFrom("UTC", "Asia/Kolkata", "Europe/Berlin", "America/New_York", "Pacific/Chatham"),
  /** What models are ranked by, where the question says it. */
  rankBy: fc.option(fc.constantFrom(...RANKING_METRICS), { nil: undefined }),
  percentiles: fc.option(fc.constantFrom<number[][]>([50], [50, 95, 99.9]), { nil: undefined }),
  forms: fc.shuffledSubarray(["json", "csv", "trpc"] as const, { minLength: 3 }),
});

type Question = typeof questions extends fc.Arbitrary<infer Value> ? Value : never;

/** Every form of an answer, asked for in some order. */
async function answersTo({ whose, endTime, seconds, timezone, rankBy, percentiles, forms }: Question) {
  const as = { user: DEMO_USER, role: "admin" as const };
  const startTime = endTime - seconds + 1;
  const path = whose === "one" ? "/app/api/user/usage-stats" : "/app/api/user/admin/user-stats";
  const said = rankBy !== undefined && { rankBy };
  const url = `${path}?${new URLSearchParams({ startTime: String(startTime), endTime: String(endTime), timezone, ...said })}`;
  const { headers } = await server.signed(as);
  const rest = async (accept: string, more = "") => {
    const response = await server.request(url + more, { headers: { ...headers, accept } });
    expect([response.status, response.headers.get("content-type")]).toEqual([
      200,
      expect.stringContaining(accept),
    ]);
    return response.text();
  };
  const query = {
    from: new Date(startTime * 1000),
    to: new Date((endTime + 1) * 1000),
    timezone,
    bucket: "day" as const,
    ...said,
    ...(percentiles && { percentiles }),
  };
  const client = server.client(as);
  const ask = {
    json: async () =>
      JSON.parse(
        await rest("application/json", percentiles && `&percentiles=${percentiles.join(",")}`),
      ) as RestUsageStats,
    csv: async () => parse<Record<string, string>>(await rest("text/csv"), { columns: true }),
    trpc: async () => (whose === "one" ? client.usageStats(query) : client.admin.usageStats(query)),
  };
  const answers: { json?: RestUsageStats; csv?: Record<string, string>[]; trpc?: UsageStats } = {};
  for (const form of forms) Object.assign(answers, { [form]: await ask[form]() });
  const { json, csv, trpc } = answers as Required<typeof answers>;
  // Asked again, they are kept, where they can be.
  expect([await ask.json(), await ask.csv()]).toEqual([json, csv]);
  expect(await ask.trpc()).toEqual({ ...trpc, freshness: expect.anything() });
  return { json, csv, trpc };
}

const totalsOf = (metrics: Metrics) => ({
  totalUsage: metrics.totalUsage,
  totalCredits: Number(metrics.credits),
  totalCalls: metrics.calls,
});
const typesOf = (byType: MetricsByType) =>
  Object.fromEntries(
    Object.entries(byType).map(([type, metrics]) => [
      type,
      { ...totalsOf(metrics), successCalls: metrics.successCalls },
    ]),
  );

const told = ({ percentiles }: Pick<UsageStats, "percentiles">) => (percentiles ? { percentiles } : {});

it("REST, tRPC and CSV answer the same question with the same numbers, kept or not", async () => {
  let found = 0;
  await fc.assert(
    fc.asyncProperty(questions, async (question) => {
      const { json, csv, trpc } = await answersTo(question);
      const { totals, byType, series, models, comparison } = trpc;
      expect(trpc.percentiles === undefined).toBe(question.percentiles === undefined);
      const current = { ...totalsOf(totals), byType: typesOf(byType), ...told(trpc) };
      expect(json.summary).toEqual({ ...current, modelCount: models.count });
      expect(json.trendComparison.current).toEqual(current);
      expect(json.trendComparison.previous).toEqual({
        ...totalsOf(comparison!.totals),
        byType: typesOf(comparison!.byType),
        ...told(comparison!),
      });
      const days = series.filter(({ metrics }) => metrics.calls > 0);
      expect(json.dailyStats).toEqual(
        days.map((day) => ({
          date: day.label,
          timestamp: Date.parse(`${day.label}T00:00:00Z`) / 1000,
          ...totalsOf(day.metrics),
          byType: typesOf(day.byType),
          ...told(day),
        })),
      );
      expect(json.modelStats).toEqual(
        models.items.map(({ providerId, model, metrics, share }) => ({
          providerId,
          provider: { id: providerId, name: providerId, displayName: providerId },
          model,
          ...totalsOf(metrics),
          // Who does not say what is ranked by gets what there was before one could.
          ...(question.rankBy !== undefined && { share }),
        })),
      );
      const columns = metricsOf("calls", "sum", "decimal_sum");
      expect(csv).toEqual(
        days.flatMap((day) =>
          Object.entries<Metrics>(day.byType)
            .toSorted(([one], [other]) => (one < other ? -1 : 1))
            .map(([type, metrics]) => ({
              date: day.label,
              type,
              ...Object.fromEntries(columns.map((name) => [name, String(metrics[name])])),
            })),
        ),
      );
      found += totals.calls > 0 && comparison!.totals.calls > 0 ? 1 : 0;
    }),
    { numRuns: RUNS },
  );
  expect(found).toBeGreaterThan(RUNS / 4);
}, 120_000);

it("models have shares for who says what is ranked by, kept or not, and for nobody else", async () => {
  const end = Math.floor(NOW.getTime() / 1000 / DAY) * DAY - 1;
  const url = `/app/api/user/usage-stats?startTime=${end - 9 * DAY + 1}&endTime=${end}`;
  const modelsOf = async (query: string) => {
    const response = await server.get(`${url}${query}`, { user: DEMO_USER });
    const { modelStats } = (await response.json()) as RestUsageStats;
    return { kept: response.headers.get("cache-status")?.includes("hit"), modelStats };
  };
  for (const kept of [false, true]) {
    const [plain, ranked] = [await modelsOf(""), await modelsOf("&rankBy=calls")];
    expect([plain.kept, ranked.kept]).toEqual([kept, kept]);
    expect(plain.modelStats.every((model) => !("share" in model))).toBe(true);
    expect(ranked.modelStats).toEqual(
      plain.modelStats.map((model) => ({ ...model, share: expect.any(Number) as unknown })),
    );
  }
});
