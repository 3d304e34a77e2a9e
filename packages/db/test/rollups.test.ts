import { getUsageStats, type UsageStatsQuery } from "@usage-stats/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  createCallWriter,
  createUsageRepository,
  rollUp,
  listenForChanges,
  startRollupWorker,
} from "../src/index.ts";
import { type ReadUsage, readRolledUpUsage } from "../src/reading/read-rolled-up-usage.ts";
import { createTestDatabase, type TestDatabase, testEar } from "../src/testing/index.ts";
import { modelCall } from "./model-calls.ts";

const user = "did:abt:z1test";
const now = new Date("2025-08-01T00:00:00Z");
const query: UsageStatsQuery = {
  userDid: user,
  from: new Date("2025-06-01T00:00:00Z"),
  to: new Date("2025-07-01T00:00:00Z"),
  timezone: "UTC",
  bucket: "day",
  groupBy: [],
  filter: {},
  topN: 5,
  compare: "previous",
};

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
  const calls = Array.from({ length: 3000 }, (_, i) =>
    modelCall({
      id: `call-${i}`,
      userDid: i % 3 === 0 ? user : `did:abt:z1user${i % 50}`,
      model: `model-${i % 7}`,
      appDid: i % 5 === 0 ? null : `app-${i % 5}`,
      callTime: new Date(Date.UTC(2025, 4, 1) + i * 1_800_000),
    }),
  );
  await createCallWriter(database.orm).record(calls);
  await rollUp(database.orm);
});
afterAll(() => database.close());

function run<Row>(statement: string): Promise<Row[]> {
  return database.orm.em.fork().execute(statement);
}

const ask = (change: Partial<UsageStatsQuery> = {}, read?: ReadUsage) =>
  getUsageStats(
    { repository: createUsageRepository(database.orm, read), cache: null, now },
    { ...query, ...change },
  );

describe("an answer from rollups", () => {
  it("takes one statement, however long the range and whatever is asked", async () => {
    const long = { from: new Date("2021-01-01T00:00:00Z"), to: new Date("2025-12-01T00:00:00Z") };
    for (const change of [
      {},
      long,
      { userDid: null },
      { groupBy: ["app", "model"] as const },
      { timezone: "Asia/Kathmandu", ...long },
    ]) {
      const { cost } = await ask(change as Partial<UsageStatsQuery>);
      expect(cost.statements).toBe(1);
    }
  });

  it("says that nothing had to be read live, until something changes", async () => {
    expect((await ask()).stats.freshness).toMatchObject({ source: "rollup", liveFrom: query.to });
    await createCallWriter(database.orm).record([
      modelCall({ id: "late", callTime: new Date("2025-06-10T08:07:00Z") }),
    ]);
    expect((await ask()).stats.freshness).toMatchObject({
      source: "rollup+live",
      liveFrom: new Date("2025-06-10T08:00:00Z"),
    });
    await rollUp(database.orm);
    expect((await ask()).stats.freshness.source).toBe("rollup");
  });

  it("reads every rollup by its composite index and, when all is rolled up, no calls", async () => {
    await run("analyze");
    let plan = "";
    const explaining: ReadUsage = (read, asked) =>
      readRolledUpUsage(async (statement) => {
        const rows = await read<Record<string, string>>({
          ...statement,
          text: `explain (analyze, costs off, timing off, summary off) ${statement.text}`,
        });
        plan = rows.map((row) => row["QUERY PLAN"]).join("\n");
        return read(statement);
      }, asked);
    await ask({ groupBy: ["app", "status"] }, explaining);
    expect(plan).toContain("idx_model_call_stats_user_type_time");
    expect(plan).not.toMatch(/Seq Scan on model_call_stats/);
    const callScans = plan.split("\n").filter((line) => / on model_calls_\d/.test(line));
    expect(callScans.every((line) => line.includes("never executed"))).toBe(true);
  });
});

describe("the worker", () => {
  it("rolls up what was there, and wakes up for a late call", async () => {
    const onError = (error: unknown) => expect.unreachable(String(error));
    const worker = startRollupWorker(database.orm, {
      pollMs: 60_000,
      onError,
    });
    const listening = Promise.withResolvers<void>();
    const changes = listenForChanges(database.url, {
      ...testEar(database),
      onChange: worker.wake,
      onMissed: () => {},
      onHearing: listening.resolve,
      onDeaf: onError,
    });
    const drained = () =>
      expect.poll(() => run("select 1 from model_call_changes"), { timeout: 10_000 }).toEqual([]);
    try {
      await drained();
      await listening.promise;
      await createCallWriter(database.orm).record([
        modelCall({ id: "later", callTime: new Date("2025-06-11T08:07:00Z") }),
      ]);
      await drained();
    } finally {
      await worker.stop();
      await changes.close();
    }
    expect((await ask()).stats.freshness.source).toBe("rollup");
  });
});
