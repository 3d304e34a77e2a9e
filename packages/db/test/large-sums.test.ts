import { getUsageStats, type UsageStatsQuery } from "@usage-stats/core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createUsageRepository, rollUp } from "../src/index.ts";
import { createTestDatabase, type TestDatabase } from "../src/testing/index.ts";

const query: UsageStatsQuery = {
  userDid: "",
  from: new Date("2025-06-01T00:00:00Z"),
  to: new Date("2025-08-01T00:00:00Z"),
  timezone: "UTC",
  bucket: "none",
  groupBy: [],
  filter: {},
  rankBy: "calls",
  topN: 5,
  compare: "none",
};
const LARGE = "9000000000000000000";

let database: TestDatabase;
const run = (statement: string) => database.orm.em.fork().execute(statement);

/** Days of calls that were made before there were limits. */
beforeAll(async () => {
  database = await createTestDatabase();
  await run("alter table model_calls drop constraint model_calls_measures_check");
  for (const month of ["06", "07"]) await run(`select ensure_model_calls_partition('2025-${month}-01')`);
  for (const [user, month, usage] of [
    ["large", "06", [LARGE, LARGE]],
    ["balanced", "07", [LARGE, LARGE, `-${LARGE}`, `-${LARGE}`, "7"]],
  ] as const)
    for (const [day, value] of usage.entries())
      await run(`insert into model_calls (user_did, id, call_time, provider_id, model, type, status, total_usage)
        values ('${user}', 'x', '2025-${month}-1${day}T10:00:00Z', 'p', 'm', 'embedding', 'success', ${value})`);
  await rollUp(database.orm);
});
afterAll(() => database.close());

const ask = (userDid: string) =>
  getUsageStats(
    { repository: createUsageRepository(database.orm), cache: null, now: new Date() },
    { ...query, userDid },
  );

it("names the sum that is too large, where it is too large for a bigint", async () => {
  await expect(ask("large")).rejects.toMatchObject({
    code: "number_too_large",
    message: "The sum of totalUsage is too large to be exact. Ask for a shorter range.",
  });
});

it("answers where a sum is too large on the way only", async () => {
  const { stats } = await ask("balanced");
  expect(stats.freshness.source).toBe("rollup");
  expect(stats.totals).toMatchObject({ calls: 5, totalUsage: 7 });
});
