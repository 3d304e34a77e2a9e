import {
  GAMMA,
  getUsageStats,
  type LatencyHistogram,
  previousRange,
  type UsageStatsQuery,
} from "@usage-stats/core";
import sql from "sql-template-tag";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createCallWriter, createUsageRepository, rollUp } from "../src/index.ts";
import { readRolledUpUsage } from "../src/reading/read-rolled-up-usage.ts";
import { createSnapshotRunner } from "../src/reading/snapshot-runner.ts";
import { createTestDatabase, type TestDatabase } from "../src/testing/index.ts";
import { modelCall } from "./model-calls.ts";

let database: TestDatabase;
beforeEach(async () => {
  database = await createTestDatabase({ statementTimeoutMs: 1_500 });
});
afterEach(() => database.close());

const query: UsageStatsQuery = {
  userDid: "u",
  from: new Date("2026-07-01T00:00:00Z"),
  to: new Date("2026-08-01T00:00:00Z"),
  timezone: "UTC",
  bucket: "day",
  groupBy: ["model"],
  filter: {},
  rankBy: "calls",
  topN: 1,
  compare: "previous",
  percentiles: [50, 99],
};

const call = (id: string, day: number, durationMs: number | null, model = "m") =>
  modelCall({
    id,
    userDid: "u",
    model,
    durationMs,
    ttfbMs: null,
    callTime: new Date(Date.UTC(2026, 6, day, 12)),
  });

async function ask(asked: Partial<UsageStatsQuery> = {}, read = readRolledUpUsage) {
  const repository = createUsageRepository(database.orm, read);
  const { stats } = await getUsageStats({ repository, cache: null, now: new Date() }, { ...query, ...asked });
  return stats;
}

describe("latencies", () => {
  it("are put into the bin whose ends they lie between, on either side of every end", async () => {
    // γ^i as an exact fraction: 21^i / 20^i.
    const ends = Array.from({ length: 566 }, (_, i) => Number(21n ** BigInt(i) / 20n ** BigInt(i)));
    const expected = new Map<number, number>([[0, -1]]);
    for (const [i, end] of ends.entries()) {
      if (!expected.has(end)) expected.set(end, i);
      expected.set(
        end + 1,
        ends.findIndex((next) => next >= end + 1),
      );
    }
    const known = [...expected].filter(([ms]) => ms <= 10 ** 9);
    await createCallWriter(database.orm).record(known.map(([ms]) => call(String(ms), 1, ms)));
    const repository = createUsageRepository(database.orm);
    const range = { from: query.from, to: query.to };
    const { latencies } = await repository.read({
      userDid: "u",
      range,
      previous: previousRange(range),
      settled: true,
      edges: [],
      groupBy: [],
      filter: {},
      rankBy: "calls",
      topN: 1,
      latencies: true,
    });
    const counts = Map.groupBy(known, ([, bin]) => bin);
    const histogram: LatencyHistogram = latencies!.sums[0]!.durationMs;
    const inOrder = histogram.toSorted(([one], [other]) => one - other);
    expect(inOrder).toEqual(
      [...counts].map(([bin, same]) => [bin, same.length]).toSorted(([one], [other]) => one! - other!),
    );
    expect(GAMMA).toBe(21 / 20);
  });

  it("are not known of calls that were dropped after they were rolled up, where there are some; of others they are", async () => {
    await createCallWriter(database.orm).record([
      call("a", 10, 100),
      call("b", 11, null),
      call("c", 31, 300),
    ]);
    const kept = modelCall({
      id: "k",
      userDid: "u",
      durationMs: 70,
      callTime: new Date("2026-06-20T00:00:00Z"),
    });
    await createCallWriter(database.orm).record([kept]);
    await rollUp(database.orm);
    expect((await ask()).percentiles?.durationMs?.count).toBe(2);
    await database.orm.em.execute("drop table model_calls_2026_07");
    const stats = await ask();
    expect(stats.totals.durationMs).toEqual({ avg: 200 });
    expect(stats.percentiles).toEqual({ durationMs: null, ttfbMs: null });
    expect(stats.groups!.items[0]!.percentiles!.durationMs).toBeNull();
    expect(stats.series[30]!.percentiles!.durationMs).toBeNull();
    expect(stats.comparison!.percentiles!.durationMs!.count).toBe(1);
  });

  it("are those of the snapshot that the sums are of, whatever is recorded in between", async () => {
    const writer = createCallWriter(database.orm);
    await writer.record([call("a", 10, 100), call("b", 10, 200, "other")]);
    const stats = await ask({}, async (run, asked) => {
      const aggregates = await readRolledUpUsage(run, asked);
      await writer.record([call("c", 10, 300), call("d", 11, 400, "other")]);
      return aggregates;
    });
    expect(stats.totals.calls).toBe(2);
    expect(stats.percentiles!.durationMs!.count).toBe(2);
    expect(stats.groups!.items[0]!.percentiles!.durationMs!.count).toBe(1);
    expect(stats.groups!.otherPercentiles!.durationMs!.count).toBe(1);
    expect((await ask()).percentiles!.durationMs!.count).toBe(4);
  });

  it("that take too long are refused with what to leave out, and the connection goes on", async () => {
    await createCallWriter(database.orm).record([call("a", 10, 100)]);
    await rollUp(database.orm);
    // Whoever has a partition to themselves makes every reader of calls wait.
    await database.orm.em.transactional(async (em) => {
      await em.execute("lock table model_calls_2026_07 in access exclusive mode");
      await expect(ask()).rejects.toMatchObject({
        code: "unavailable",
        field: "percentiles",
        message: expect.stringMatching(/Leave out percentiles/) as unknown,
      });
      const { percentiles: _, ...plain } = query;
      const repository = createUsageRepository(database.orm);
      const now = new Date();
      expect((await getUsageStats({ repository, cache: null, now }, plain)).stats.totals.calls).toBe(1);
    });
    expect((await ask()).percentiles!.durationMs!.count).toBe(1);
  });
});

describe("statements of one snapshot", () => {
  it("are run again from the first on where a sum is no bigint", async () => {
    const sums = (numbers: string[]) =>
      sql`select sum8(n)::text as sum from unnest(${numbers}::int8[]) as numbers(n)`;
    const large = "9000000000000000000";
    const inSnapshot = createSnapshotRunner(database.orm);
    const both = await inSnapshot(undefined, async (run) => [
      await run<{ sum: string }>(sums(["1", "2"]), "prepared"),
      await run<{ sum: string }>(sums([large, large]), "prepared"),
    ]);
    expect(both).toEqual([[{ sum: "3" }], [{ sum: "18000000000000000000" }]]);
  });

  it("may write nothing, and leave nothing open", async () => {
    const inSnapshot = createSnapshotRunner(database.orm);
    const attempt = inSnapshot(undefined, (run) => run(sql`delete from model_calls`));
    await expect(attempt).rejects.toMatchObject({ code: "25006" });
    const [row] = await database.orm.em.execute<{ n: number }[]>(
      "select count(*)::int as n from pg_stat_activity where datname = current_database() and state like 'idle in transaction%'",
    );
    expect(row).toEqual({ n: 0 });
  });

  it("end when nobody waits for them", async () => {
    const gone = new AbortController();
    const inSnapshot = createSnapshotRunner(database.orm);
    const asked = inSnapshot(gone.signal, (run) => run(sql`select pg_sleep(30)`));
    setTimeout(() => gone.abort(new Error("gone")), 20);
    await expect(asked).rejects.toThrow("gone");
  });
});
