import { afterAll, beforeAll, expect, it, vi } from "vitest";
import sql, { type Sql } from "sql-template-tag";
import { createStatementRunner } from "../src/reading/statement-runner.ts";
import { createTestDatabase, type TestDatabase } from "../src/testing/index.ts";

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase({ poolSize: 2 });
});
afterAll(() => database.close());

const execute = (statement: Sql, signal?: AbortSignal, how?: "prepared") =>
  createStatementRunner(database.orm)(signal)(statement, how);

async function sleeping(): Promise<number> {
  const [row] = await database.orm.em
    .fork()
    .execute<{ n: number }[]>(
      "select count(*)::int as n from pg_stat_activity where query like 'select pg_sleep%' and state = 'active'",
    );
  return row!.n;
}

it("ends the statement that nobody waits for, and throws the reason", async () => {
  const gone = new AbortController();
  const asked = execute(sql`select pg_sleep(30)`, gone.signal);
  await vi.waitFor(async () => expect(await sleeping()).toBe(1));
  gone.abort(new Error("gone"));
  await expect(asked).rejects.toThrow("gone");
  await vi.waitFor(async () => expect(await sleeping()).toBe(0), { timeout: 3_000 });
});

it("never runs what nobody waits for any more", async () => {
  const signal = AbortSignal.abort(new Error("gone"));
  await expect(execute(sql`select nonsense`, signal)).rejects.toThrow("gone");
});

it("gives its connections back, however often somebody leaves", async () => {
  for (let i = 0; i < 6; i++) {
    const gone = new AbortController();
    const asked = execute(sql`select pg_sleep(30)`, gone.signal);
    setTimeout(() => gone.abort(new Error("gone")), 20);
    await expect(asked).rejects.toThrow("gone");
  }
  const { signal } = new AbortController();
  const rows = await Promise.all([1, 2, 3].map((n) => execute(sql`select ${n}::int as n`, signal)));
  expect(rows).toEqual([[{ n: 1 }], [{ n: 2 }], [{ n: 3 }]]);
});

it("leaves a statement alone that was done before", async () => {
  const gone = new AbortController();
  expect(await execute(sql`select 1 as n`, gone.signal)).toEqual([{ n: 1 }]);
  gone.abort();
  expect(await execute(sql`select 2 as n`, undefined, "prepared")).toEqual([{ n: 2 }]);
});
