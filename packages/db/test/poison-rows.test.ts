import { getUsageStats, type UsageStatsQuery } from "@usage-stats/core";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  createCallWriter,
  createRankingRepository,
  createUsageRepository,
  migrate,
  rollUp,
  startRollupWorker,
  verifyRollups,
} from "../src/index.ts";
import { createTestDatabase, type TestDatabase, readRawUsage } from "../src/testing/index.ts";
import { modelCall } from "./model-calls.ts";

let database: TestDatabase;
afterEach(() => database.close());

const from = new Date("2025-06-01T00:00:00Z");
const to = new Date("2025-07-01T00:00:00Z");

function run<Row>(sql: string): Promise<Row[]> {
  return database.orm.em.fork().execute(sql);
}

function insert(user: string, time: string, measures: string): Promise<unknown> {
  return run(`insert into model_calls (user_did, id, call_time, provider_id, model, type, status, ${measures.split(" = ")[0]})
    values ('${user}', 'x', '${time}', 'p', 'm', 'embedding', 'success', ${measures.split(" = ")[1]})`);
}

const query = (userDid: string | null): UsageStatsQuery => ({
  userDid,
  from,
  to,
  timezone: "UTC",
  bucket: "day",
  groupBy: [],
  filter: {},
  rankBy: "calls",
  topN: 5,
  compare: "none",
});

async function answer(userDid: string | null, read?: typeof readRawUsage) {
  const repository = createUsageRepository(database.orm, read);
  return (await getUsageStats({ repository, cache: null, now: new Date() }, query(userDid))).stats;
}

const good = Array.from({ length: 120 }, (_, i) =>
  modelCall({ id: `c-${i}`, userDid: `user-${i % 40}`, callTime: new Date(from.getTime() + i * 17_000_000) }),
);

describe("measures that no call can have", () => {
  beforeEach(async () => {
    database = await createTestDatabase();
    await run("select ensure_model_calls_partition('2025-06-01')");
  });

  it.each([
    "total_usage = 9000000000000000000",
    "input_tokens = 1000000000001",
    "output_tokens = -1",
    "cached_input_tokens = -1",
    "duration_ms = 9000000000000000000",
    "ttfb_ms = -5",
    "credits = 'NaN'",
    "credits = -0.00000001",
  ])("are refused whoever writes them: %s", async (measure) => {
    await expect(insert("u", "2025-06-05T00:00:00Z", measure)).rejects.toThrow(/model_calls_measures_check/);
  });

  it("are taken up to the limits of the API", async () => {
    await insert("u", "2025-06-05T00:00:00Z", "total_usage = 1000000000000");
    await insert("u", "2025-06-05T00:00:01Z", "credits = 999999999999.99999999");
    await rollUp(database.orm);
    expect((await answer("u")).totals).toMatchObject({ calls: 2, credits: "999999999999.99999999" });
  });
});

describe("calls from before there were limits", () => {
  let warnings: string[];

  beforeEach(async () => {
    warnings = [];
    database = await createTestDatabase({ from: "empty" });
    await database.orm.migrator.up({ to: "20261123000006-void-calls" });
    await run("select ensure_model_calls_partition('2025-06-01')");
    for (const hour of ["10", "11", "12"])
      await insert("poison", `2025-06-05T${hour}:00:00Z`, "input_tokens = 9000000000000000000");
    await insert("nan", "2025-06-06T10:00:00Z", "credits = 'NaN'");
    const emit = vi.spyOn(process, "emitWarning").mockImplementation((warning) => {
      warnings.push(String(warning));
    });
    await migrate(database.orm, new Date("2025-06-20T00:00:00Z"));
    emit.mockRestore();
    await createCallWriter(database.orm).record(good);
  });

  async function waiting(): Promise<string[]> {
    const rows = await run<{ user: string }>(
      "select distinct user_did as user from model_call_changes order by 1",
    );
    return rows.map(({ user }) => user);
  }

  it("stop no upgrade, which tells of them, and no new ones are taken", async () => {
    expect(warnings).toEqual([
      expect.stringContaining("Some calls in model_calls_2025_06 have measures that no call can have"),
    ]);
    await expect(insert("u", "2025-06-05T00:00:00Z", "total_usage = 9000000000000000000")).rejects.toThrow(
      /model_calls_measures_check/,
    );
    const valid = await run<{ name: string }>(
      "select conrelid::regclass::text as name from pg_constraint where conname = 'model_calls_measures_check' and convalidated order by 1",
    );
    expect(valid.map(({ name }) => name)).toEqual([
      "model_calls_2025_07",
      "model_calls_2025_08",
      "model_calls_2025_09",
    ]);
  });

  it.each([3, 20, 2_000])("keep nobody else from being rolled up, in batches of %i", async (batchSize) => {
    await expect(rollUp(database.orm, { batchSize })).rejects.toThrow(
      /^\d quarters of an hour cannot be rolled up, .*poison 2025-06-05T1\d:\d\d:00.*bigint out of range/,
    );
    expect(await waiting()).toEqual(["poison"]);
    for (const userDid of ["user-0", "user-17", "nan"]) {
      const { freshness, ...rolledUp } = await answer(userDid);
      expect(freshness.source).toBe("rollup");
      const { freshness: _, ...raw } = await answer(userDid, readRawUsage);
      expect(rolledUp).toEqual(raw);
    }
    expect((await verifyRollups(database.orm)).differences).toEqual([]);
    await expect(answer("poison")).rejects.toMatchObject({ code: "number_too_large" });
    await expect(answer(null)).rejects.toMatchObject({ code: "number_too_large" });
  });

  it("that have no number for credits add none", async () => {
    await run("delete from model_calls where user_did = 'poison'");
    expect((await answer("nan")).totals).toMatchObject({ calls: 1, credits: "0.00000000" });
    expect((await answer(null)).totals.calls).toBe(good.length + 1);
    const ranking = await createRankingRepository(database.orm).readRanking({
      range: { from, to },
      settled: true,
      by: "user",
      filter: {},
      orderBy: "credits",
      direction: "desc",
      search: null,
      limit: 50,
      after: null,
    });
    expect(ranking.items.at(-1)).toMatchObject({ key: ["nan", ""], measures: { credits: "0.00000000" } });
  });

  it("are told of once by the worker, which goes on, and are rolled up once they are mended", async () => {
    const errors: unknown[] = [];
    const worker = startRollupWorker(database.orm, { pollMs: 1_100, onError: (error) => errors.push(error) });
    try {
      await expect.poll(() => errors.length, { timeout: 10_000 }).toBe(1);
      expect(String(errors[0])).toContain("poison");
      await createCallWriter(database.orm).record([modelCall({ userDid: "later" })]);
      await expect.poll(waiting, { timeout: 10_000 }).not.toContain("later");
      expect(errors).toHaveLength(1);
    } finally {
      await worker.stop();
    }
    await run("update model_calls set input_tokens = 9 where user_did = 'poison'");
    await rollUp(database.orm);
    expect(await waiting()).toEqual([]);
    expect((await answer("poison")).totals).toMatchObject({ calls: 3, inputTokens: 27 });
    expect((await verifyRollups(database.orm)).differences).toEqual([]);
  });
});
