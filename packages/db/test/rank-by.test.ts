import { getUsageStats, type ModelCall, RANKING_METRICS, type UsageStatsQuery } from "@usage-stats/core";
import { afterAll, beforeEach, beforeAll, describe, expect, it } from "vitest";
import { createCallWriter, createUsageRepository, rollUp } from "../src/index.ts";
import { createTestDatabase, type TestDatabase, readRawUsage } from "../src/testing/index.ts";
import { bruteForce, comparable } from "./brute-force.ts";
import { faultsOf, toldPercentiles } from "./brute-percentiles.ts";
import { createKeepAll } from "./keep-all.ts";
import { modelCall } from "./model-calls.ts";

const NOW = new Date("2025-06-16T12:05:00Z");
const SETTLED = new Date("2025-06-16T08:20:00Z");
const JUST_NOW = new Date("2025-06-16T12:02:00Z");

const query: UsageStatsQuery = {
  userDid: modelCall().userDid,
  from: new Date("2025-06-16T00:00:00Z"),
  to: NOW,
  timezone: "UTC",
  bucket: "hour",
  groupBy: ["model"],
  filter: {},
  rankBy: "calls",
  topN: 2,
  compare: "none",
};

/** Told of the same groups that are ranked. */
const PERCENTILES = [50, 99.9];

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});
beforeEach(() => database.orm.em.fork().execute("delete from model_calls"));
afterAll(() => database.close());

const record = (calls: ModelCall[]) => createCallWriter(database.orm).record(calls);
const callsOf = (model: string, count: number, call: (i: number) => Partial<ModelCall>) =>
  Array.from({ length: count }, (_, i) =>
    modelCall({ id: `${model} ${i}`, model, callTime: SETTLED, ...call(i) }),
  );

const WAYS = {
  "raw calls": () => ({ repository: createUsageRepository(database.orm, readRawUsage), cache: null }),
  "rollups and the calls since": () => ({ repository: createUsageRepository(database.orm), cache: null }),
  "a history and the remainder": () => ({
    repository: createUsageRepository(database.orm),
    cache: createKeepAll(),
  }),
};

describe.each(Object.entries(WAYS).map(([name, open]) => ({ name, open })))("from $name", ({ open }) => {
  let way: ReturnType<typeof open>;
  beforeEach(() => {
    way = open();
  });

  const expectExact = async (calls: ModelCall[], asked: Partial<UsageStatsQuery>) => {
    const whole = { ...query, ...asked, percentiles: PERCENTILES };
    const { stats } = await getUsageStats({ ...way, now: NOW }, whole);
    expect(comparable(stats, whole.groupBy)).toEqual(bruteForce(calls, whole, stats));
    const told = toldPercentiles(calls, whole, stats);
    expect(told.flatMap((place) => faultsOf(place, PERCENTILES))).toEqual([]);
    return stats;
  };

  it("groups and models are the first by each metric, with their shares of it", async () => {
    const calls = [
      ...callsOf("often", 5, () => ({ credits: "0.00000001", inputTokens: 1, durationMs: 10 })),
      ...callsOf("dear", 1, () => ({ credits: "12345678901.00000001", outputTokens: 9, durationMs: 30 })),
      ...callsOf("failing", 3, () => ({ status: "failed", totalUsage: 70, ttfbMs: 7 })),
      ...callsOf("slow", 2, () => ({ durationMs: 31, ttfbMs: 5, cachedInputTokens: 4 })),
    ];
    await record(calls.slice(0, 8));
    await rollUp(database.orm);
    await record(calls.slice(8));
    const firsts: Record<string, unknown> = {};
    for (const rankBy of RANKING_METRICS) {
      const stats = await expectExact(calls, { rankBy });
      firsts[rankBy] = stats.groups!.items[0]!.key.model;
      expect(stats.models.items[0]).toMatchObject({
        model: firsts[rankBy],
        share: stats.groups!.items[0]!.share,
      });
    }
    expect(firsts).toMatchObject({
      calls: "often",
      successCalls: "often",
      failedCalls: "failing",
      credits: "dear",
      durationMs: "slow",
    });
  });

  it("averages that the usual decimals of a quotient make equal are told apart", async () => {
    // A quotient of this size has eight decimals: 1/20000 and 1/20001 are both 0.00005000.
    const [often, least] = [20_000, 500_000_000];
    for (const [model, count] of [
      ["a little less", often + 1],
      ["b", often],
    ] as const)
      await database.orm.em.fork().execute(
        `insert into model_calls (user_did, id, call_time, provider_id, model, type, status, duration_ms)
         select ?, ? || i, ?, 'openai', ?, 'chatCompletion', 'success', ? + (i = 1)::int from generate_series(1, ?) as i`,
        [query.userDid, model, SETTLED, model, least, count],
      );
    await rollUp(database.orm);
    const { stats } = await getUsageStats({ ...way, now: NOW }, { ...query, rankBy: "durationMs", topN: 1 });
    expect(stats.groups!.items).toMatchObject([{ key: { model: "b" }, share: null }]);
    expect(stats.models.items).toMatchObject([{ model: "b", share: null }]);
    expect(stats.series[8]!.groups!.map(({ key }) => key?.model)).toEqual(["b", undefined]);
  });

  it.each(["credits", "ttfbMs", "failedCalls"] as const)(
    "a group that a call of just now lifts from far behind by %s has its whole series",
    async (rankBy) => {
      const calls = Array.from({ length: 40 }, (_, i) => `m${10 + i}`).flatMap((model, i) =>
        callsOf(model, i === 0 ? 9 : 2, (which) => ({
          credits: ((100 - i) / 1_000).toFixed(8),
          ttfbMs: 1_000 - i,
          status: which === 0 && i <= 20 ? "failed" : "success",
        })),
      );
      await record(calls);
      await rollUp(database.orm);
      const lifted = modelCall({
        id: "lifted",
        model: "m49",
        callTime: JUST_NOW,
        credits: "90000.00000000",
        ttfbMs: 100_000,
        status: rankBy === "failedCalls" ? "failed" : "success",
      });
      const more = callsOf("m49", 3, (i) => ({ id: `more ${i}`, callTime: JUST_NOW, status: lifted.status }));
      await record([lifted, ...more]);
      const stats = await expectExact([...calls, lifted, ...more], { rankBy, topN: 1 });
      expect(stats.groups!.items[0]!.key).toEqual({ model: "m49" });
      expect(stats.series[8]!.groups).toMatchObject([
        { key: { model: "m49" }, metrics: { calls: 2 } },
        { key: null, metrics: { calls: 85 } },
      ]);
    },
  );
});
