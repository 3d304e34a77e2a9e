import {
  getUsageStats,
  type ModelCall,
  settledUntil,
  type UsageStats,
  type UsageStatsQuery,
} from "@usage-stats/core";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createCallWriter, createUsageRepository, rollUp } from "../src/index.ts";
import { createTestDatabase, type TestDatabase, readRawUsage } from "../src/testing/index.ts";
import { callsNear, questionNear, scene } from "./arbitrary-usage.ts";
import { faultsOf, toldPercentiles } from "./brute-percentiles.ts";
import { createKeepAll } from "./keep-all.ts";

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

const QUESTIONS_EACH = 15;
const HOUR = 3_600_000;

const asked = fc
  .uniqueArray(
    fc.oneof(
      fc.constantFrom(50, 95, 99, 99.9),
      fc.integer({ min: 1, max: 999 }).map((tenths) => tenths / 10),
    ),
    { minLength: 1, maxLength: 5 },
  )
  .map((percentiles) => percentiles.toSorted((one, other) => one - other));

/** Questions as random as any, with percentiles. */
const cases = scene.chain(({ timezone, at }) =>
  fc.record({
    now: fc.integer({ min: -100 * HOUR, max: 100 * HOUR }).map((offset) => new Date(at + offset)),
    calls: callsNear(at, { minLength: 50, maxLength: 250 }),
    queries: fc.array(
      fc
        .record({ question: questionNear(at, timezone), percentiles: asked })
        .map(({ question, percentiles }) => ({ ...question, percentiles })),
      { minLength: QUESTIONS_EACH, maxLength: QUESTIONS_EACH },
    ),
  }),
);

type Asked = UsageStatsQuery & { percentiles: number[] };

/** What is wrong with any percentile of an answer. */
function faults(calls: ModelCall[], { percentiles, ...query }: Asked, stats: UsageStats): string[] {
  return toldPercentiles(calls, query, stats).flatMap((told) => faultsOf(told, percentiles));
}

/** An answer as it would be had nobody asked for percentiles, as text. */
function withoutPercentiles(stats: UsageStats): string {
  return JSON.stringify(stats, (name, value: unknown) =>
    name === "percentiles" || name === "otherPercentiles" ? undefined : value,
  );
}

it.each(["raw calls", "rollups, none yet", "rollups, half of them", "rollups, all of them"])(
  "tells percentiles of exactly the calls that are averaged, beside %s, each at most 2.5 % from the call of its rank",
  async (way) => {
    const callWriter = createCallWriter(database.orm);
    const repository = createUsageRepository(database.orm, way === "raw calls" ? readRawUsage : undefined);
    await fc.assert(
      fc.asyncProperty(cases, async ({ calls, queries }) => {
        await database.orm.em.fork().execute("delete from model_calls");
        const early = { "rollups, half of them": calls.length / 2, "rollups, all of them": calls.length }[
          way
        ];
        await callWriter.record(calls.slice(0, early ?? 0));
        if (early !== undefined) await rollUp(database.orm);
        await callWriter.record(calls.slice(early ?? 0));
        const voided = calls[0]!;
        await callWriter.record([{ ...voided, void: true }]);
        for (const query of queries) {
          const { percentiles: _, ...plain } = query;
          const context = { repository, cache: null, now: query.to };
          const { stats } = await getUsageStats(context, query);
          expect(faults(calls.slice(1), query, stats)).toEqual([]);
          const { stats: unasked } = await getUsageStats(context, plain);
          expect(withoutPercentiles(stats)).toBe(JSON.stringify(unasked));
        }
      }),
      { numRuns: 8 },
    );
  },
  300_000,
);

it("tells the same of a kept history and the calls since", async () => {
  const callWriter = createCallWriter(database.orm);
  const repository = createUsageRepository(database.orm);
  let hits = 0;
  await fc.assert(
    fc.asyncProperty(cases, async ({ now, calls, queries }) => {
      await database.orm.em.fork().execute("delete from model_calls");
      const cache = createKeepAll();
      const isSettled = ({ callTime }: ModelCall) => callTime < settledUntil(now);
      const check = async (counted: ModelCall[]) => {
        for (const query of queries) {
          const { stats } = await getUsageStats({ repository, cache, now }, query);
          expect(faults(counted, query, stats)).toEqual([]);
        }
      };
      await callWriter.record(calls.filter(isSettled));
      await rollUp(database.orm);
      await check(calls.filter(isSettled));
      await callWriter.record(calls.filter((call) => !isSettled(call)));
      await check(calls);
      hits += cache.hits;
    }),
    { numRuns: 10 },
  );
  expect(hits).toBeGreaterThan(20);
}, 300_000);
