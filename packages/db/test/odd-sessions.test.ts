import { ANY_ORIGIN, getUsageStats } from "@usage-stats/core";
import { afterEach, expect, it } from "vitest";
import {
  createCallReader,
  createCallWriter,
  createRankingRepository,
  createUsageRepository,
  rollUp,
  verifyRollups,
} from "../src/index.ts";
import { createTestDatabase, type TestDatabase } from "../src/testing/index.ts";
import { modelCall } from "./model-calls.ts";
import { ODD_SESSIONS, openOddly } from "./odd-sessions.ts";

let database: TestDatabase;
afterEach(() => database.close());

const from = new Date("2025-06-01T00:00:00Z");
const to = new Date("2025-07-15T00:00:00Z");
const CALLS = Array.from({ length: 300 }, (_, i) =>
  modelCall({
    id: `call-${i}`,
    userDid: `user-${i % 3}`,
    callTime: new Date(from.getTime() + i * 3.1 * 3_600_000),
  }),
);

it.each(ODD_SESSIONS)(
  "rolls up, answers, ranks, lists and verifies as ever where sessions are set to %o",
  async (settings) => {
    database = await createTestDatabase();
    await database.orm.close();
    database.orm = await openOddly(database.url, settings);
    const { orm } = database;
    const [setting] = await orm.em.fork().execute(`show ${Object.keys(settings)[0]}`);
    expect(Object.values(setting as object)).toEqual([Object.values(settings)[0]]);

    await createCallWriter(orm).record(CALLS);
    // In several batches, each of which goes on where the one before ended.
    await rollUp(orm, { batchSize: 37 });
    const now = new Date();
    for (const userDid of ["user-0", "user-1", "user-2", null]) {
      const expected = CALLS.filter((call) => userDid === null || call.userDid === userDid).length;
      const { stats } = await getUsageStats(
        { repository: createUsageRepository(orm), cache: null, now },
        {
          userDid,
          from,
          to,
          timezone: "Europe/Berlin",
          bucket: "day",
          groupBy: [],
          filter: {},
          rankBy: "calls",
          topN: 5,
          compare: "previous",
        },
      );
      expect([stats.totals.calls, stats.freshness.source]).toEqual([expected, "rollup"]);
      expect(stats.series.reduce((sum, { metrics }) => sum + metrics.calls, 0)).toBe(expected);
    }
    const [late] = CALLS;
    await createCallWriter(orm).record([{ ...late!, id: "late" }]);
    const ranked = await createRankingRepository(orm).readRanking({
      range: { from, to },
      settled: true,
      by: "user",
      filter: {},
      orderBy: "calls",
      direction: "desc",
      search: null,
      limit: 10,
      after: null,
    });
    expect(ranked.liveFrom).toEqual(from);
    expect(ranked.items.map(({ value }) => Number(value))).toEqual([101, 100, 100]);
    const listed = await createCallReader(orm).readCalls({
      userDid: "user-0",
      range: { from, to },
      filter: {},
      origin: ANY_ORIGIN,
      search: null,
      minDurationMs: null,
      withVoided: true,
      limit: 1,
      after: null,
    });
    expect(listed[0]!.callTime).toEqual(CALLS.findLast(({ userDid }) => userDid === "user-0")!.callTime);
    await rollUp(orm);
    expect((await verifyRollups(orm)).differences).toEqual([]);
  },
);
