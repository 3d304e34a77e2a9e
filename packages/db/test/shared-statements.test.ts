import { setTimeout as sleep } from "node:timers/promises";
import { type CallWriter, type ModelCall } from "@usage-stats/core";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { createCallWriter, openDatabase } from "../src/index.ts";
import { createTestDatabase, type TestDatabase } from "../src/testing/index.ts";
import { modelCall } from "./model-calls.ts";

let database: TestDatabase;
let callWriter: CallWriter;

beforeEach(async () => {
  database = await createTestDatabase({ poolSize: 6 });
  callWriter = createCallWriter(database.orm);
  await callWriter.record([modelCall({ id: "first" })]);
  await run("create table statements (calls int)");
  await run(`create function note_statement() returns trigger language plpgsql as $$
    begin insert into statements select count(*) from new_calls; return null; end $$`);
  await run(`create trigger note_statement after insert on model_calls referencing new table as new_calls
    for each statement execute function note_statement()`);
});
afterEach(() => database.close());

function run<Row>(sql: string): Promise<Row[]> {
  return database.orm.em.fork().execute(sql);
}

const numbered = (n: number) => modelCall({ id: `call-${n}` });
const voided = ({ userDid, id, callTime }: ModelCall) => ({ userDid, id, callTime, void: true as const });

async function ids(): Promise<string[]> {
  const rows = await run<{ id: string }>("select id from model_calls where id <> 'first' order by id");
  return rows.map(({ id }) => id);
}

/** How many calls each statement wrote. */
async function statements(): Promise<number[]> {
  return (await run<{ calls: number }>("select calls from statements")).map(({ calls }) => calls);
}

/** Holds everybody's writes until it is told to end. */
async function holdWrites(how = "lock table model_calls in exclusive mode"): Promise<() => Promise<void>> {
  const holder = database.orm.em.fork();
  await holder.begin();
  await holder.execute(how);
  let isHeld = true;
  const letGo = async () => {
    if (isHeld) await holder.rollback();
    isHeld = false;
  };
  onTestFinished(letGo);
  return letGo;
}

async function waiting(): Promise<number> {
  const [row] = await run<{ count: string }>(
    "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
  );
  return Number(row!.count);
}

const settled = async (recording: Promise<unknown>) =>
  Promise.race([recording.then(() => true), sleep(50).then(() => false)]);

describe("recordings at the same time", () => {
  it("share statements, and each hears of its own calls", async () => {
    const known = await callWriter.record([numbered(0)]);
    expect(known).toEqual(["added"]);
    const outcomes = await Promise.all(
      Array.from({ length: 300 }, (_, n) => callWriter.record([numbered(n), numbered(1_000 + n)])),
    );
    expect(outcomes[0]).toEqual(["repeated", "added"]);
    expect(new Set(outcomes.slice(1).flat())).toEqual(new Set(["added"]));
    const written = (await statements()).filter((calls) => calls > 0);
    expect(written.reduce((sum, calls) => sum + calls, 0)).toBe(600);
    expect(written.length).toBeLessThan(30);
    expect(Math.max(...written)).toBeLessThanOrEqual(200);
  });

  it("end each by itself where one of them cannot be written", async () => {
    const recordings = Array.from({ length: 20 }, (_, n) =>
      callWriter.record([numbered(n), { ...numbered(100 + n), ...(n === 7 && { credits: "1e30" }) }]),
    );
    const ends = await Promise.allSettled(recordings);
    expect(ends.flatMap(({ status }, n) => (status === "rejected" ? [n] : []))).toEqual([7]);
    await expect(recordings[7]).rejects.toThrow(/overflow/);
    expect(await ids()).toHaveLength(38);
  });

  it("are told each of what was no longer kept", async () => {
    const [july, august] = ["2026-07-10T12:00:00Z", "2026-08-10T12:00:00Z"].map((time) => new Date(time));
    await callWriter.record([modelCall({ id: "old", callTime: july! })]);
    await run("alter table model_calls detach partition model_calls_2026_07");
    const later = createCallWriter(database.orm);
    expect(
      await Promise.all([
        later.record([numbered(1), modelCall({ id: "late", callTime: july! })]),
        later.record([modelCall({ id: "new", callTime: august! })]),
        later.record([modelCall({ id: "late", callTime: july! })]),
      ]),
    ).toEqual([["added", "not_kept"], ["added"], ["not_kept"]]);
  });

  it("are made in their order where they name the same call, also when it waits", async () => {
    const call = numbered(1);
    const letGo = await holdWrites();
    const recordings = [
      callWriter.record([call]),
      callWriter.record([{ ...call, totalUsage: 1 }]),
      callWriter.record([voided(call)]),
      callWriter.record([call, numbered(2)], { atomic: true }),
      callWriter.record([voided(call)]),
    ];
    const ends = Promise.allSettled(recordings);
    await expect.poll(waiting).toBe(1);
    await letGo();
    expect((await ends).map((end) => (end.status === "fulfilled" ? end.value : "rejected"))).toEqual([
      ["added"],
      ["corrected"],
      ["voided"],
      "rejected",
      ["repeated"],
    ]);
    expect(await ids()).toEqual(["call-1"]);
  });

  it("are made in their order also where one between them was given up", async () => {
    const call = numbered(1);
    const letGo = await holdWrites();
    const gone = new AbortController();
    const first = callWriter.record([call]);
    const second = callWriter.record([{ ...call, totalUsage: 1 }], { signal: gone.signal });
    const third = callWriter.record([voided(call)]);
    gone.abort(new Error("gone"));
    await expect(second).rejects.toMatchObject({ code: "unavailable" });
    await letGo();
    expect([await first, await third]).toEqual([["added"], ["voided"]]);
  });
});

describe("who shares a statement", () => {
  it("leaves at its own deadline while it waits for one, and nothing of it is written", async () => {
    const letGo = await holdWrites("lock table model_calls in access exclusive mode");
    const first = callWriter.record([numbered(1)]);
    const hurried = callWriter.record([numbered(2)], { deadline: performance.now() + 50 });
    const gone = new AbortController();
    const leaving = callWriter.record([numbered(3)], { signal: gone.signal });
    const patient = callWriter.record([numbered(4)], { deadline: performance.now() + 20_000 });
    gone.abort(new Error("gone"));
    await expect(leaving).rejects.toMatchObject({ code: "unavailable" });
    await expect(hurried).rejects.toMatchObject({ code: "unavailable" });
    await letGo();
    expect([await first, await patient]).toEqual([["added"], ["added"]]);
    expect(await ids()).toEqual(["call-1", "call-4"]);
  });

  it("leaves at its own deadline while the statement runs, and the others are written all the same", async () => {
    const letGo = await holdWrites();
    const recordings = [250, 20_000, 30_000].map((ms, n) =>
      callWriter.record([numbered(n)], { deadline: performance.now() + ms }),
    );
    const ends = Promise.allSettled(recordings);
    await expect(recordings[0]).rejects.toMatchObject({ code: "unavailable" });
    await letGo();
    expect((await ends).map(({ status }) => status)).toEqual(["rejected", "fulfilled", "fulfilled"]);
    expect(await ids()).toEqual(["call-1", "call-2"]);
  });

  it("waits for nobody's lock but its own", async () => {
    await callWriter.record([numbered(1), numbered(2)]);
    const letGo = await holdWrites("select from model_calls where id = 'call-1' for update");
    const locked = callWriter.record([{ ...numbered(1), totalUsage: 1 }]);
    const others = [
      callWriter.record([numbered(3)]),
      callWriter.record([{ ...numbered(2), totalUsage: 1 }]),
      callWriter.record([numbered(4)]),
    ];
    expect(await Promise.all(others)).toEqual([["added"], ["corrected"], ["added"]]);
    expect(await callWriter.record([numbered(5)])).toEqual(["added"]);
    expect(await settled(locked)).toBe(false);
    await letGo();
    expect(await locked).toEqual(["corrected"]);
  });

  it("does not wait for a batch that is large", async () => {
    await callWriter.record([numbered(1)]);
    const letGo = await holdWrites("select from model_calls where id = 'call-1' for update");
    const large = callWriter.record(
      Array.from({ length: 2_000 }, (_, n) => ({ ...numbered(n), totalUsage: 1 })),
    );
    await expect.poll(waiting).toBe(1);
    expect(await callWriter.record([modelCall({ id: "single" })])).toEqual(["added"]);
    expect(await settled(large)).toBe(false);
    await letGo();
    expect((await large).filter((outcome) => outcome === "corrected")).toHaveLength(1);
  });

  it("is written though the connection was cut beneath the statement", async () => {
    const letGo = await holdWrites();
    const recordings = [1, 2, 3].map((n) => callWriter.record([numbered(n)]));
    await expect.poll(waiting).toBe(1);
    await run(
      "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
    );
    await letGo();
    expect(await Promise.all(recordings)).toEqual([["added"], ["added"], ["added"]]);
  });
});

it("ends every recording when its pool is closed, and keeps what it said was written", async () => {
  const orm = await openDatabase({ url: database.url, poolSize: 2 });
  const closing = createCallWriter(orm);
  await closing.record([numbered(0)]);
  const recordings = Array.from({ length: 500 }, (_, n) => closing.record([numbered(1 + n)]));
  const ends = Promise.allSettled(recordings);
  await recordings[0];
  await orm.close();
  const written = (await ends).filter(({ status }) => status === "fulfilled").length;
  expect(written).toBeGreaterThan(0);
  expect((await ids()).length).toBe(1 + written);
}, 20_000);
