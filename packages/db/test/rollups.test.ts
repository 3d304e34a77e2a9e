import { getUsageStats, type UsageStatsQuery } from "@usage-stats/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  createCallWriter,
  createRebuilder,
  createUsageRepository,
  planRebuild,
  rollUp,
  listenForChanges,
  startRollupWorker,
  verifyRollups,
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
  rankBy: "calls",
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
    expect(plan).toContain("idx_model_call_model_stats_user_type_time");
    expect(plan).toContain("idx_model_call_detail_stats_user_type_time");
    expect(plan).not.toMatch(/Seq Scan on model_call_(model_|detail_)?stats/);
    const callScans = plan.split("\n").filter((line) => / on model_calls_\d/.test(line));
    expect(callScans.every((line) => line.includes("never executed"))).toBe(true);
  });
});

describe("verify and rebuild", () => {
  it("find nothing to say about rollups that are right", async () => {
    expect((await verifyRollups(database.orm)).differences).toEqual([]);
  });

  it.each([
    [
      "a day that says too much",
      `update model_call_stats set calls = calls + 1 where user_did = '${user}' and time_type = 'day' and timestamp = '2025-06-05'`,
    ],
    [
      "a quarter that is gone",
      `delete from model_call_detail_stats where ctid = (select ctid from model_call_detail_stats where user_did = '${user}' and time_type = 'quarter' limit 1)`,
    ],
    [
      "an hour that should not be",
      `insert into model_call_stats select user_did, time_type, '2024-02-03 04:00+00', type, calls, success_calls, failed_calls, input_tokens, output_tokens, cached_input_tokens, total_usage, credits, duration_ms_sum, duration_ms_count, ttfb_ms_sum, ttfb_ms_count from model_call_stats where time_type = 'hour' and user_did = '${user}' limit 1`,
    ],
    [
      "all users' credits a hundred-millionth off",
      "update model_call_detail_stats set credits = credits + 0.00000001 where user_did = '' and time_type = 'quarter' and timestamp = '2025-06-05 00:00+00'",
    ],
  ])("see %s, and mend it", async (_, damage) => {
    await run(damage);
    const { differences } = await verifyRollups(database.orm);
    expect(differences.length).toBeGreaterThan(0);
    const rebuilder = createRebuilder(database.orm);
    await rebuilder.start({});
    await rollUp(database.orm);
    expect((await verifyRollups(database.orm)).differences).toEqual([]);
  });

  it("keep to one user and a range", async () => {
    await run(
      `update model_call_stats set calls = calls + 1 where time_type = 'day' and timestamp in ('2025-05-05', '2025-06-05')`,
    );
    const range = { from: new Date("2025-06-01T00:00:00Z"), to: new Date("2025-07-01T00:00:00Z") };
    const mine = await verifyRollups(database.orm, { userDid: user, range });
    expect(new Set(mine.differences.map(({ userDid, start }) => `${userDid} ${start}`))).toEqual(
      new Set([`${user} 2025-06-05 00:00:00+00`]),
    );
    await createRebuilder(database.orm).start({ userDid: user, range });
    await rollUp(database.orm);
    expect((await verifyRollups(database.orm, { userDid: user, range })).differences).toEqual([]);
    const always = await verifyRollups(database.orm, { userDid: user });
    expect(always.differences.map(({ start }) => start)).toEqual(["2025-05-05 00:00:00+00"]);
    await createRebuilder(database.orm).start({});
    await rollUp(database.orm);
  });

  it("say how much they compared, and how far they are", async () => {
    const told: number[][] = [];
    const all = await verifyRollups(
      database.orm,
      {},
      { onProgress: (done, total) => void told.push([done, total]) },
    );
    const [rows] = await run<{ rows: string }>(
      `select (select count(*) from model_call_stats) + (select count(*) from model_call_model_stats) + (select count(*) from model_call_detail_stats) as rows`,
    );
    const [users] = await run<{ users: string }>(
      "select count(distinct user_did) as users from model_calls where voided_at is null",
    );
    expect(all).toEqual({
      differences: [],
      compared: Number(rows!.rows),
      waiting: 0,
      frozen: 0,
      users: Number(users!.users),
    });
    const total = told[0]![1]!;
    expect(told).toEqual(Array.from({ length: total + 1 }, (_, done) => [done, total]));
  });

  it("compare nothing of somebody who is not there", async () => {
    expect(await verifyRollups(database.orm, { userDid: "nobody" })).toEqual({
      differences: [],
      compared: 0,
      waiting: 0,
      frozen: 0,
      users: 0,
    });
  });

  it("count what waits in the scope, and compare the rest", async () => {
    await run(
      `insert into model_call_changes values ('${user}', '2025-06-05 00:00+00'), ('${user}', '2025-05-05 00:00+00'), ('other', '2025-06-05 00:00+00')`,
    );
    const range = { from: new Date("2025-06-01T00:00:00Z"), to: new Date("2025-07-01T00:00:00Z") };
    expect(await verifyRollups(database.orm, { userDid: user, range })).toMatchObject({
      differences: [],
      waiting: 1,
      users: 1,
    });
    await rollUp(database.orm);
  });

  it("say what they would replace without doing it", async () => {
    const plan = await planRebuild(database.orm, { userDid: user });
    const [counted] = await run<{ quarters: string }>(
      `select count(distinct quarter_of(call_time)) as quarters from model_calls where user_did = '${user}'`,
    );
    expect(plan).toMatchObject({ users: 1, quarters: Number(counted!.quarters) });
    expect(plan.rollupRows).toBeGreaterThan(plan.quarters * 3);
    expect(await run("select 1 from model_call_changes")).toEqual([]);
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
