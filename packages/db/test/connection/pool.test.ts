import { UsageStatsError } from "@usage-stats/core";
import { afterAll, afterEach, beforeAll, expect, it, vi } from "vitest";
import { databaseFailure, type Database, type DatabaseSettings, openDatabase } from "../../src/index.ts";
import { inTransaction } from "../../src/transaction.ts";
import { createTestDatabase, type TestDatabase } from "../../src/testing/index.ts";

let database: TestDatabase;
const open: Database[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
});
afterEach(async () => {
  for (const orm of open.splice(0)) await orm.close();
});
afterAll(() => database.close());

async function pool(settings: Omit<DatabaseSettings, "url"> = {}): Promise<Database> {
  const orm = await openDatabase({ url: database.url, poolSize: 2, ...settings });
  open.push(orm);
  return orm;
}

const ask = async (orm: Database, sql = "select 1 as one") => orm.em.fork().execute<object[]>(sql);
const failureOf = async (asked: Promise<unknown>) =>
  databaseFailure(
    await asked.then(
      () => null,
      (error: unknown) => error,
    ),
  );
const unavailable = expect.objectContaining({ code: "unavailable" }) as UsageStatsError;

it("gives up waiting for a connection", async () => {
  const orm = await pool({ connectTimeoutMs: 100 });
  const busy = [1, 2].map(() => ask(orm, "select pg_sleep(1)"));
  await vi.waitFor(async () => {
    const [row] = await database.orm.em
      .fork()
      .execute<{ n: number }[]>(
        "select count(*)::int as n from pg_stat_activity where query like 'select pg_sleep(1)%' and state = 'active'",
      );
    expect(row!.n).toBe(2);
  });
  expect(await failureOf(ask(orm))).toEqual(unavailable);
  await Promise.all(busy);
  expect(await ask(orm)).toEqual([{ one: 1 }]);
});

it("gives up waiting for a statement, and does not use its connection again", async () => {
  const orm = await pool({ queryTimeoutMs: 200, connectTimeoutMs: 400 });
  const slow = () => failureOf(ask(orm, "select pg_sleep(5)"));
  expect(await Promise.all([slow(), slow(), slow()])).toEqual([unavailable, unavailable, unavailable]);
  const inside = inTransaction(orm, { isolationLevel: "read committed" }, (em) =>
    em.execute("select pg_sleep(5)"),
  );
  expect(await failureOf(inside)).toEqual(unavailable);
  expect(await Promise.all([ask(orm), ask(orm), ask(orm)])).toHaveLength(3);
});

it("does not use a connection again whose server has become read-only", async () => {
  const orm = await pool();
  const write = () => ask(orm, "create table if not exists written ()");
  const readOnly = "select pg_sleep(0.1), set_config('default_transaction_read_only', 'on', false)";
  await Promise.all([ask(orm, readOnly), ask(orm, readOnly)]);
  const outcomes = [await failureOf(write()), await failureOf(write()), await failureOf(write())];
  expect(outcomes[0]).toEqual(unavailable);
  expect(outcomes[2]).toBeNull();
});

it("takes whatever the driver says itself for a failure of the database, and no fault of ours", async () => {
  const orm = await pool();
  const cut = inTransaction(orm, { isolationLevel: "read committed" }, async (em) => {
    await em.execute("select pg_terminate_backend(pg_backend_pid())").catch(() => {});
    await em.execute("select 'Client has encountered a connection error and is not queryable'");
  });
  expect(await failureOf(cut)).toEqual(unavailable);
  expect(await failureOf(ask(orm, "selec"))).not.toEqual(unavailable);
  expect(databaseFailure(new TypeError("ours"))).toBeInstanceOf(TypeError);
  const refusal = new UsageStatsError("not_found", "There is none.", { cause: new Error("socket") });
  expect(databaseFailure(refusal)).toBe(refusal);
});
