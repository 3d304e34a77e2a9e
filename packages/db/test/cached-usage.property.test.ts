import { getUsageStats, settledUntil } from "@usage-stats/core";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createCallWriter, createUsageRepository, rollUp } from "../src/index.ts";
import { createTestDatabase, type TestDatabase } from "../src/testing/index.ts";
import { callsNear, questionNear, scene } from "./arbitrary-usage.ts";
import { bruteForce, comparable } from "./brute-force.ts";
import { createKeepAll } from "./keep-all.ts";

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

const QUESTIONS_EACH = 10;
const HOUR = 3_600_000;

/** Questions that end after `now`, so that a part of them is not settled; and the same a moment later. */
const cases = scene.chain(({ timezone, at }) =>
  fc.record({
    now: fc.integer({ min: -100 * HOUR, max: 100 * HOUR }).map((offset) => new Date(at + offset)),
    calls: callsNear(at, { minLength: 50, maxLength: 250 }),
    rolled: fc.boolean(),
    queries: fc.array(
      fc.record({
        input: questionNear(at, timezone),
        moved: fc.integer({ min: 0, max: 30_000 }),
      }),
      { minLength: QUESTIONS_EACH, maxLength: QUESTIONS_EACH },
    ),
  }),
);

it("answers from a kept history and the calls since as adding up all calls one by one does", async () => {
  const callWriter = createCallWriter(database.orm);
  const repository = createUsageRepository(database.orm);
  let hits = 0;
  await fc.assert(
    fc.asyncProperty(cases, async ({ now, calls, rolled, queries }) => {
      await database.orm.em.fork().execute("delete from model_calls");
      const cache = createKeepAll();
      const settled = calls.filter(({ callTime }) => callTime < settledUntil(now));
      const later = calls.filter(({ callTime }) => callTime >= settledUntil(now));
      const check = async (asked: typeof calls, moved: (typeof queries)[number]["moved"] | null) => {
        for (const { input, moved: by } of queries) {
          const shift = moved === null ? 0 : by;
          const query = {
            ...input,
            from: new Date(input.from.getTime() + shift),
            to: new Date(input.to.getTime() + shift),
          };
          if (query.to <= settledUntil(now)) continue;
          const { stats, cost } = await getUsageStats({ repository, cache, now }, query);
          expect(comparable(stats, query.groupBy)).toEqual(bruteForce(asked, query, stats));
          expect(cost.statements).toBeLessThanOrEqual(4);
        }
      };
      await callWriter.record(settled);
      if (rolled) await rollUp(database.orm);
      await check(settled, null);
      await callWriter.record(later);
      await check(calls, null);
      await check(calls, 1);
      hits += cache.hits;
    }),
    { numRuns: 60 },
  );
  expect(hits).toBeGreaterThan(100);
}, 300_000);
