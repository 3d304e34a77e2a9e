import { afterAll, beforeAll, expect, it } from "vitest";
import { openDatabase } from "../src/index.ts";
import { inTransaction } from "../src/transaction.ts";
import { createTestDatabase, type TestDatabase } from "../src/testing/index.ts";

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

it("gives its connection back when the connection is cut, however often", async () => {
  const small = await openDatabase({ url: database.url, poolSize: 2 });
  try {
    for (let i = 0; i < 6; i += 1) {
      const cut = inTransaction(small, { isolationLevel: "read committed" }, (em) =>
        em.execute("select pg_terminate_backend(pg_backend_pid())"),
      );
      await expect(cut).rejects.toThrow(/terminat/);
    }
    expect(await small.em.fork().execute("select 1 as one")).toEqual([{ one: 1 }]);
  } finally {
    await small.close();
  }
});

it("undoes everything when a statement fails", async () => {
  const failing = inTransaction(database.orm, { isolationLevel: "read committed" }, async (em) => {
    await em.execute("create table half_written ()");
    await em.execute("select 1 / 0");
  });
  await expect(failing).rejects.toThrow(/division by zero/);
  expect(await database.orm.em.fork().execute("select to_regclass('half_written') as found")).toEqual([
    { found: null },
  ]);
});
