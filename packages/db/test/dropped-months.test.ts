import { getUsageStats, type ModelCall, type UsageStatsQuery } from "@usage-stats/core";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  createCallWriter,
  createUsageRepository,
  ensurePartitionsAhead,
  logForRebuild,
  openDatabase,
  planRebuild,
  rollUp,
  verifyRollups,
} from "../src/index.ts";
import { createTestDatabase, type TestDatabase, readRawUsage } from "../src/testing/index.ts";
import { modelCall } from "./model-calls.ts";

let database: TestDatabase;
beforeEach(async () => {
  database = await createTestDatabase();
});
afterEach(() => database.close());

function run<Row>(sql: string): Promise<Row[]> {
  return database.orm.em.fork().execute(sql);
}

function record(calls: ModelCall[], options?: { atomic: boolean }) {
  return createCallWriter(database.orm).record(calls, options);
}

const old = Array.from({ length: 10 }, (_, i) =>
  modelCall({ id: `old-${i}`, userDid: "u", callTime: new Date(Date.UTC(2026, 6, 10, 12, i)) }),
);
const late = modelCall({ id: "late", userDid: "u", callTime: new Date("2026-07-10T12:03:30Z") });
const elsewhere = modelCall({ id: "elsewhere", userDid: "u", callTime: new Date("2026-07-20T09:00:00Z") });
const other = modelCall({ id: "other", userDid: "v", callTime: new Date("2026-07-10T12:03:00Z") });
const august = modelCall({ id: "august", userDid: "u", callTime: new Date("2026-08-02T00:00:00Z") });

const query = (userDid: string | null): UsageStatsQuery => ({
  userDid,
  from: new Date("2026-07-01T00:00:00Z"),
  to: new Date("2026-08-01T00:00:00Z"),
  timezone: "UTC",
  bucket: "day",
  groupBy: [],
  filter: {},
  rankBy: "calls",
  topN: 5,
  compare: "none",
});

async function callsOf(userDid: string | null): Promise<number> {
  const repository = createUsageRepository(database.orm);
  const now = new Date();
  const { stats } = await getUsageStats({ repository, cache: null, now }, query(userDid));
  expect(stats.series.reduce((sum, { metrics }) => sum + metrics.calls, 0)).toBe(stats.totals.calls);
  return stats.totals.calls;
}

async function partitions(): Promise<string[]> {
  const rows = await run<{ name: string }>(
    "select relname as name from pg_inherits join pg_class on oid = inhrelid where inhparent = 'model_calls'::regclass and relname ~ '2026_0[678]' order by 1",
  );
  return rows.map(({ name }) => name);
}

describe("a month that was dropped after it was rolled up", () => {
  beforeEach(async () => {
    await record(old);
    await rollUp(database.orm);
    await run("drop table model_calls_2026_07");
  });

  it("keeps what it was rolled up to, whatever of it is repeated, late, voided, or rebuilt", async () => {
    expect(await callsOf("u")).toBe(10);
    const callWriter = createCallWriter(database.orm);
    expect(await callWriter.record([old[0]!, late, august])).toEqual(["not_kept", "not_kept", "added"]);
    const { userDid, id, callTime } = old[1]!;
    expect(await callWriter.record([{ userDid, id, callTime, void: true }, august])).toEqual([
      "not_kept",
      "repeated",
    ]);
    expect(await partitions()).toEqual(["model_calls_2026_08"]);
    await rollUp(database.orm);
    expect(await callsOf("u")).toBe(10);

    await logForRebuild(database.orm, {});
    expect(await callsOf("u")).toBe(10);
    await rollUp(database.orm);
    expect(await callsOf("u")).toBe(10);
    expect(await callsOf(null)).toBe(10);
    expect(await verifyRollups(database.orm)).toMatchObject({ differences: [], frozen: 1, waiting: 0 });
    expect(await planRebuild(database.orm, { userDid: "u" })).toMatchObject({ quarters: 1 });
  });

  it("takes calls where it had none, and counts them", async () => {
    expect(await record([elsewhere, old[0]!, other])).toEqual(["added", "not_kept", "added"]);
    expect(await record([elsewhere, old[0]!, { ...other, status: "failed" }])).toEqual([
      "repeated",
      "not_kept",
      "corrected",
    ]);
    expect(await callsOf("u")).toBe(11);
    await rollUp(database.orm);
    // What was rolled up anew is not frozen.
    expect(await record([{ ...elsewhere, id: "more" }, late])).toEqual(["added", "not_kept"]);
    await logForRebuild(database.orm, {});
    await rollUp(database.orm);
    expect(await callsOf("u")).toBe(12);
    expect(await callsOf("v")).toBe(1);
    expect(await callsOf(null)).toBe(13);
    await run("delete from model_calls where id = 'more'");
    await rollUp(database.orm);
    expect(await callsOf("u")).toBe(11);
    expect(await verifyRollups(database.orm)).toMatchObject({ differences: [], frozen: 1 });
  });

  it("may be dropped again", async () => {
    await record([elsewhere]);
    await rollUp(database.orm);
    await run("drop table model_calls_2026_07");
    expect(await record([elsewhere, old[0]!, other])).toEqual(["not_kept", "not_kept", "added"]);
    await rollUp(database.orm);
    expect(await callsOf("u")).toBe(11);
    expect(await callsOf("v")).toBe(1);
    expect((await verifyRollups(database.orm)).differences).toEqual([]);
  });

  it("keeps its numbers where marks of it were not rolled up when it was dropped", async () => {
    await record([elsewhere]);
    await rollUp(database.orm);
    await record([{ ...elsewhere, id: "not rolled up" }]);
    await run("drop table model_calls_2026_07");
    await rollUp(database.orm);
    expect(await callsOf("u")).toBe(11);
    expect(await run("select 1 from model_call_changes")).toEqual([]);
  });

  it("refuses others' writes into what is frozen, too", async () => {
    await record([elsewhere]);
    const insert = (table: string, time: string) =>
      run(
        `insert into ${table} (user_did, id, call_time, provider_id, model, type, status) values ('u', 'psql', '${time}', 'p', 'm', 'custom', 'success')`,
      );
    for (const table of ["model_calls", "model_calls_2026_07"]) {
      await expect(insert(table, "2026-07-10T12:00:00Z")).rejects.toMatchObject({
        code: "23514",
        constraint: "model_calls_frozen_check",
      });
      await insert(table, `2026-07-1${table.length % 10}T15:00:00Z`);
    }
    await expect(
      run("update model_calls set call_time = '2026-07-10T12:00:00Z' where id = 'psql'"),
    ).rejects.toThrow(/were dropped/);
    await rollUp(database.orm);
    expect(await callsOf("u")).toBe(13);
  });

  it("refuses a recording whole that is to be made whole", async () => {
    await expect(record([august, old[0]!], { atomic: true })).rejects.toMatchObject({
      code: "conflict",
      field: "calls.1",
    });
    expect(await callsOf("u")).toBe(10);
    expect(await run("select 1 from model_calls")).toEqual([]);
  });
});

it("keeps its numbers where it goes away in the middle of rolling it up", async () => {
  await record(old);
  await rollUp(database.orm);
  await record([late, elsewhere]);
  // Once, after the batch was picked and before its calls are read; a sequence is not undone with the batch.
  await run("create sequence once");
  await run(`create function go_away() returns trigger language plpgsql as $$ begin
      if nextval('once') = 1 then alter table model_calls detach partition model_calls_2026_07; end if;
      return null;
    end $$`);
  await run(
    "create trigger go_away after delete on model_call_stats for each statement execute function go_away()",
  );
  await rollUp(database.orm);
  expect((await run<{ calls: string }>("select nextval('once') as calls"))[0]!.calls).not.toBe("1");
  expect(await callsOf("u")).toBe(12);
  expect((await verifyRollups(database.orm)).differences).toEqual([]);
});

it("takes calls again that are put back by hand", async () => {
  await record(old);
  await rollUp(database.orm);
  await run("create table kept as select * from model_calls");
  await run("drop table model_calls_2026_07");
  await rollUp(database.orm);
  await run("select ensure_model_calls_partition('2026-07-01')");
  await run("delete from model_call_frozen_months where month = '2026-07-01 00:00+00'");
  await run("insert into model_calls select * from kept");
  await rollUp(database.orm);
  expect(await callsOf("u")).toBe(10);
  expect(await record([late, old[0]!])).toEqual(["added", "repeated"]);
  await rollUp(database.orm);
  expect(await verifyRollups(database.orm)).toMatchObject({ differences: [], frozen: 0 });
});

it("is made again where it had not been rolled up", async () => {
  const callWriter = createCallWriter(database.orm);
  await callWriter.record(old);
  await run("drop table model_calls_2026_07");
  expect(await callWriter.record([old[0]!, late])).toEqual(["added", "added"]);
  await rollUp(database.orm);
  expect(await callsOf("u")).toBe(2);
});

it("is made again by whichever of two servers comes first, and none is misled by what it remembers", async () => {
  const orm = await openDatabase({ url: database.url });
  try {
    const [one, two] = [createCallWriter(database.orm), createCallWriter(orm)];
    await one.record(old);
    await two.record([elsewhere]);
    await rollUp(orm);
    await run("drop table model_calls_2026_07");
    expect(await two.record([other, old[3]!])).toEqual(["added", "not_kept"]);
    expect(await one.record([old[0]!, elsewhere, { ...other, id: "more" }])).toEqual([
      "not_kept",
      "not_kept",
      "added",
    ]);
    await rollUp(orm);
    expect([await callsOf("u"), await callsOf("v")]).toEqual([11, 2]);
  } finally {
    await orm.close();
  }
});

it.each(["", " concurrently"])(
  "rejects late calls of a month that was detached%s, and no others",
  async (how) => {
    const callWriter = createCallWriter(database.orm);
    await callWriter.record([...old, august]);
    await run(`alter table model_calls detach partition model_calls_2026_07${how}`);
    const outcomes = ["not_kept", "repeated", "not_kept"];
    expect(await callWriter.record([elsewhere, august, late])).toEqual(outcomes);
    expect(await callWriter.record([elsewhere, august, late])).toEqual(outcomes);
    await expect(callWriter.record([august, late], { atomic: true })).rejects.toMatchObject({
      code: "conflict",
    });
    await rollUp(database.orm);

    await run(
      "alter table model_calls attach partition model_calls_2026_07 for values from ('2026-07-01 00:00+00') to ('2026-08-01 00:00+00')",
    );
    expect(await callWriter.record([late, old[0]!])).toEqual(["added", "repeated"]);
    await rollUp(database.orm);
    expect(await callsOf("u")).toBe(11);
    expect(await verifyRollups(database.orm)).toMatchObject({ differences: [], frozen: 0 });
  },
);

it("counts the calls of a month again that is attached after it was frozen", async () => {
  const callWriter = createCallWriter(database.orm);
  await callWriter.record([...old, elsewhere]);
  await rollUp(database.orm);
  await run("alter table model_calls detach partition model_calls_2026_07");
  await rollUp(database.orm);
  expect(await verifyRollups(database.orm)).toMatchObject({ differences: [], frozen: 2 });
  expect(await callsOf("u")).toBe(11);
  // While it was away, nothing was noted.
  await run("delete from model_calls_2026_07 where id = 'old-0'");
  await run(
    "alter table model_calls attach partition model_calls_2026_07 for values from ('2026-07-01 00:00+00') to ('2026-08-01 00:00+00')",
  );
  await rollUp(database.orm);
  expect(await callsOf("u")).toBe(10);
  expect(await callWriter.record([late, old[1]!])).toEqual(["added", "repeated"]);
  await rollUp(database.orm);
  expect(await callsOf("u")).toBe(11);
  expect(await verifyRollups(database.orm)).toMatchObject({ differences: [], frozen: 0 });
});

it("makes the other months ahead where one of them is detached, and warns", async () => {
  const emit = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  try {
    const now = new Date("2026-06-15T00:00:00Z");
    await ensurePartitionsAhead(database.orm, now);
    await run("alter table model_calls detach partition model_calls_2026_07");
    await run("drop table model_calls_2026_08");
    await ensurePartitionsAhead(database.orm, now);
    expect(await partitions()).toEqual(["model_calls_2026_06", "model_calls_2026_08"]);
    expect(emit.mock.calls.map(String)).toEqual([expect.stringContaining("The month 2026-07 was detached")]);
  } finally {
    emit.mockRestore();
  }
});

it("leaves another table alone that has a partition's name, and records the calls", async () => {
  await run("create table model_calls_2026_07 (note text)");
  await run("create view model_calls_2026_08 as select 1 as one");
  expect(await record([...old, august])).toEqual(Array.from({ length: 11 }, () => "added"));
  expect(await partitions()).toEqual(["model_calls_2026_07_", "model_calls_2026_08_"]);
  expect(await record(old)).toEqual(old.map(() => "repeated"));
});

it("rejects calls by themselves that fall between partitions of somebody's own making", async () => {
  await run("create table weekly (like model_calls including defaults including constraints)");
  await run("select add_model_calls_triggers('weekly')");
  await run(
    "alter table model_calls attach partition weekly for values from ('2026-07-08 00:00+00') to ('2026-07-15 00:00+00')",
  );
  expect(await record([old[0]!, elsewhere, august])).toEqual(["added", "not_kept", "added"]);
});

it("answers as raw calls do while months that hold nothing of the question come and go", async () => {
  await record([...old, august]);
  await rollUp(database.orm);
  await run("drop table model_calls_2026_07");
  await rollUp(database.orm);
  const ask = async (read?: typeof readRawUsage) => {
    const repository = createUsageRepository(database.orm, read);
    const input = {
      ...query("u"),
      from: new Date("2026-08-01T00:00:00Z"),
      to: new Date("2026-09-01T00:00:00Z"),
    };
    return (await getUsageStats({ repository, cache: null, now: new Date() }, input)).stats.totals;
  };
  expect(await ask()).toEqual(await ask(readRawUsage));
});
