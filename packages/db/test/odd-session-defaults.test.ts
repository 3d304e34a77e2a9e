import { getUsageStats } from "@usage-stats/core";
import { afterEach, expect, it } from "vitest";
import {
  createCallReader,
  createCallRecorder,
  createRankingRepository,
  createUsageRepository,
  openDatabase,
  rollUp,
  verifyRollups,
} from "../src/index.ts";
import { createTestDatabase, type TestDatabase } from "../src/testing/index.ts";
import { modelCall } from "./model-calls.ts";

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

const DEFAULTS: Record<string, string>[] = [
  { datestyle: "SQL, DMY" },
  { datestyle: "German, DMY" },
  { datestyle: "Postgres, DMY", timezone: "Asia/Kathmandu" },
  { datestyle: "SQL, MDY", timezone: "America/New_York" },
  { intervalstyle: "sql_standard", timezone: "Pacific/Chatham" },
  { extra_float_digits: "-15", bytea_output: "escape", standard_conforming_strings: "off" },
];

it.each(DEFAULTS)(
  "rolls up, answers, ranks, lists and verifies as ever where a database's default is %o",
  async (settings) => {
    database = await createTestDatabase();
    const name = new URL(database.url).pathname.slice(1);
    for (const [setting, value] of Object.entries(settings))
      await database.orm.em.execute(`alter database ${name} set ${setting} = '${value}'`);
    await database.orm.close();
    database.orm = await openDatabase({ url: database.url });
    const { orm } = database;

    await createCallRecorder(orm).record(CALLS);
    // In several batches, each of which goes on where the one before ended.
    await rollUp(orm, { batchSize: 37 });
    const clock = { now: () => new Date() };
    for (const userDid of ["user-0", "user-1", "user-2", null]) {
      const expected = CALLS.filter((call) => userDid === null || call.userDid === userDid).length;
      const { stats } = await getUsageStats(
        { repository: createUsageRepository(orm), cache: null, clock },
        {
          userDid,
          from,
          to,
          timezone: "Europe/Berlin",
          bucket: "day",
          groupBy: [],
          filter: {},
          topN: 5,
          compare: "previous",
        },
      );
      expect([stats.totals.calls, stats.freshness.source]).toEqual([expected, "rollup"]);
      expect(stats.series.reduce((sum, { metrics }) => sum + metrics.calls, 0)).toBe(expected);
    }
    const [late] = CALLS;
    await createCallRecorder(orm).record([{ ...late!, id: "late" }]);
    const ranked = await createRankingRepository(orm).readRanking({
      range: { from, to },
      closed: true,
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
      search: null,
      minDurationMs: null,
      withVoided: true,
      limit: 1,
      after: null,
    });
    expect(listed[0]!.callTime).toEqual(CALLS.findLast(({ userDid }) => userDid === "user-0")!.callTime);
    await rollUp(orm);
    expect(await verifyRollups(orm)).toEqual([]);
  },
);
