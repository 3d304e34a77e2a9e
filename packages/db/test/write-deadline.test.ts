import { type EntityManager } from "@mikro-orm/postgresql";
import { type CallWriter } from "@usage-stats/core";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { createCallWriter } from "../src/index.ts";
import { sessionOf } from "../src/connection/session.ts";
import { createTestDatabase, type TestDatabase } from "../src/testing/index.ts";
import { upsertModelCalls } from "../src/writing/upsert-model-calls.ts";
import { modelCall } from "./model-calls.ts";

let database: TestDatabase;
let callWriter: CallWriter;

beforeAll(async () => {
  database = await createTestDatabase({ poolSize: 2 });
});
beforeEach(async () => {
  await database.orm.em.fork().execute("delete from model_calls");
  callWriter = createCallWriter(database.orm);
});
afterAll(() => database.close());

const rows = () =>
  database.orm.em.fork().execute<{ id: string; status: string }[]>("select * from model_calls");
const inMs = (ms: number) => ({ deadline: performance.now() + ms });

/** Within a transaction what was seen of others once stays, unless it is cleared. */
async function seenBy(em: EntityManager, sql: string): Promise<unknown[]> {
  await em.execute("select pg_stat_clear_snapshot()");
  return em.execute(sql);
}

/** Keeps both connections of the pool busy until it is told to end. */
async function holdEveryConnection(): Promise<() => Promise<void>> {
  const holders = [database.orm.em.fork(), database.orm.em.fork()];
  for (const holder of holders) await holder.begin();
  return async () => {
    for (const holder of holders) await holder.rollback();
  };
}

describe("a write's deadline", () => {
  it("is kept where it waits for a connection, and then it is never sent", async () => {
    const letGo = await holdEveryConnection();
    await expect(callWriter.record([modelCall()], inMs(200))).rejects.toMatchObject({ code: "unavailable" });
    await letGo();
    expect(await callWriter.record([modelCall({ id: "next" })])).toEqual(["added"]);
    expect(await rows()).toMatchObject([{ id: "next" }]);
  });

  it("is kept where it waits for a lock, and its statement is ended", async () => {
    const locker = database.orm.em.fork();
    await locker.begin();
    await locker.execute("lock table model_calls in access exclusive mode");
    await expect(callWriter.record([modelCall()], inMs(400))).rejects.toMatchObject({ code: "unavailable" });
    await vi.waitFor(
      async () =>
        expect(
          await seenBy(
            locker,
            "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
          ),
        ).toEqual([]),
      { timeout: 3_000 },
    );
    await locker.rollback();
    expect(await rows()).toEqual([]);
    expect(await callWriter.record([modelCall()], inMs(5_000))).toEqual(["added"]);
  });

  it.each([
    ["one statement", {}],
    ["a transaction", { atomic: true }],
  ])("keeps %s from being sent when it is over already", async (_, how) => {
    await expect(callWriter.record([modelCall()], { ...how, ...inMs(-1) })).rejects.toMatchObject({
      code: "unavailable",
    });
    expect(await rows()).toEqual([]);
  });

  it("is kept by the database itself, by its own clock", async () => {
    const session = sessionOf(database.orm.em.fork());
    await expect(
      upsertModelCalls(session, [modelCall()], { latest: new Date(Date.now() - 1_000), lockTimeoutMs: null }),
    ).rejects.toMatchObject({
      code: "unavailable",
    });
    expect(await rows()).toEqual([]);
    await upsertModelCalls(session, [modelCall()], {
      latest: new Date(Date.now() + 60_000),
      lockTimeoutMs: null,
    });
    expect(await rows()).toHaveLength(1);
  });

  it("does not depend on the database's clock being right, nor on its not being set", async () => {
    const own = await createTestDatabase({ poolSize: 1 });
    try {
      const em = own.orm.em.fork();
      await em.execute("create table fast_by (hours int)");
      await em.execute("insert into fast_by values (5)");
      await em.execute(`create function clock_timestamp() returns timestamptz language sql volatile as
        'select pg_catalog.clock_timestamp() + make_interval(hours => hours) from public.fast_by'`);
      await em.execute(
        `do $$ begin execute format('alter database %I set search_path = public, pg_catalog', current_database()); end $$`,
      );
      await em.execute("select pg_terminate_backend(pg_backend_pid())").catch(() => {});
      const skewed = createCallWriter(own.orm);
      expect(await skewed.record([modelCall()], inMs(5_000))).toEqual(["added"]);
      await own.orm.em.fork().execute("update fast_by set hours = 9");
      expect(await skewed.record([modelCall({ id: "later" })], inMs(5_000))).toEqual(["added"]);
    } finally {
      await own.close();
    }
  });
});

describe("whoever leaves", () => {
  it("ends a write that was not sent", async () => {
    const letGo = await holdEveryConnection();
    const gone = new AbortController();
    const asked = callWriter.record([modelCall()], { signal: gone.signal });
    gone.abort(new Error("gone"));
    await expect(asked).rejects.toThrow("The database cannot answer");
    await letGo();
    expect(await callWriter.record([modelCall({ id: "next" })])).toEqual(["added"]);
    expect(await rows()).toMatchObject([{ id: "next" }]);
  });

  it("does not end one that was sent", async () => {
    const locker = database.orm.em.fork();
    await locker.begin();
    await locker.execute("lock table model_calls in access exclusive mode");
    const gone = new AbortController();
    const asked = callWriter.record([modelCall()], { signal: gone.signal });
    await vi.waitFor(async () =>
      expect(
        await seenBy(
          locker,
          "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
        ),
      ).toHaveLength(1),
    );
    gone.abort(new Error("gone"));
    await locker.rollback();
    expect(await asked).toEqual(["added"]);
  });
});

describe("a call that has ended", () => {
  it.each([
    ["alone", []],
    [
      "beside a void",
      [{ userDid: "did:other", id: "x", callTime: new Date("2025-06-15T12:00:00Z"), void: true as const }],
    ],
  ])("is never processing again, however late that is heard (%s)", async (_, others) => {
    expect(await callWriter.record([modelCall({ status: "success", totalUsage: 777 })])).toEqual(["added"]);
    const late = modelCall({ status: "processing", totalUsage: 1 });
    expect((await callWriter.record([late, ...others]))[0]).toBe("repeated");
    expect(await rows()).toMatchObject([{ status: "success", total_usage: "777", revision: 0 }]);
    expect(await callWriter.record([modelCall({ status: "failed" })])).toEqual(["corrected"]);
    expect((await callWriter.record([late, ...others]))[0]).toBe("repeated");
  });

  it("is not processing again within a batch either", async () => {
    const ended = modelCall({ status: "failed" });
    expect(await callWriter.record([ended, modelCall({ status: "processing" })])).toEqual([
      "added",
      "repeated",
    ]);
  });
});
