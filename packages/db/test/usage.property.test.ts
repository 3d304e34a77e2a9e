import { getUsageStats } from "@usage-stats/core";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createCallWriter, createUsageRepository, rollUp } from "../src/index.ts";
import { createTestDatabase, type TestDatabase, readRawUsage } from "../src/testing/index.ts";
import { callsNear, questionNear, scene } from "./arbitrary-usage.ts";
import { bruteForce, comparable } from "./brute-force.ts";

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

const QUESTIONS_EACH = 20;

it.each(["raw calls", "rollups, none yet", "rollups, half of them", "rollups, all of them"])(
  "answers 1,000 random questions from %s as adding up the calls one by one does, over clock changes in many zones",
  async (way) => {
    const callWriter = createCallWriter(database.orm);
    const repository = createUsageRepository(database.orm, way === "raw calls" ? readRawUsage : undefined);
    const cases = scene.chain(({ timezone, at }) =>
      fc.record({
        calls: callsNear(at, { minLength: 50, maxLength: 250 }),
        queries: fc.array(questionNear(at, timezone), {
          minLength: QUESTIONS_EACH,
          maxLength: QUESTIONS_EACH,
        }),
      }),
    );
    await fc.assert(
      fc.asyncProperty(cases, async ({ calls, queries }) => {
        await database.orm.em.fork().execute("delete from model_calls");
        const early =
          way === "rollups, half of them"
            ? calls.length / 2
            : way === "rollups, all of them"
              ? calls.length
              : 0;
        await callWriter.record(calls.slice(0, early));
        if (early > 0) await rollUp(database.orm);
        await callWriter.record(calls.slice(early));
        for (const input of queries) {
          const { stats } = await getUsageStats({ repository, cache: null, now: input.to }, input);
          expect(comparable(stats, input.groupBy)).toEqual(bruteForce(calls, input, stats));
          const { range, series } = stats;
          if (range.bucket !== "none" && input.limit === undefined) {
            expect(series[0]!.start).toEqual(input.from);
            expect(series.at(-1)!.end).toEqual(input.to);
            expect(series.reduce((sum, { metrics }) => sum + metrics.calls, 0)).toBe(stats.totals.calls);
          }
        }
      }),
      { numRuns: 1000 / QUESTIONS_EACH },
    );
  },
  300_000,
);
