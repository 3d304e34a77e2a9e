import sql from "sql-template-tag";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createStatementRunner, type RunStatement } from "../src/reading/statement-runner.ts";
import { createTestDatabase, type TestDatabase } from "../src/testing/index.ts";

let database: TestDatabase;
let run: RunStatement;
beforeEach(async () => {
  database = await createTestDatabase();
  run = createStatementRunner(database.orm)();
});
afterEach(() => database.close());

const mode = sql`show plan_cache_mode`;

it("plans a prepared statement once, whatever its values, and everything else each time", async () => {
  for (let i = 0; i < 12; i += 1) {
    const [row] = await run<{ n: number }>(sql`select ${i}::int + 1 as n`, "prepared");
    expect(row).toEqual({ n: i + 1 });
  }
  const known = sql`select statement, generic_plans::int as once, custom_plans::int as anew from pg_prepared_statements`;
  expect(await run(known)).toEqual([{ statement: "select $1::int + 1 as n", once: 12, anew: 0 }]);
  expect(await run(mode)).toEqual([{ plan_cache_mode: "auto" }]);
  expect(await run(mode, "prepared")).toEqual([{ plan_cache_mode: "force_generic_plan" }]);
  expect(await run(mode)).toEqual([{ plan_cache_mode: "auto" }]);
});

it("keeps a bounded number of statements on a connection, and runs any others too", async () => {
  for (let i = 0; i < 100; i += 1)
    expect(await run({ text: `select ${i} as n`, values: [] }, "prepared")).toEqual([{ n: i }]);
  const [row] = await run<{ count: number }>(sql`select count(*)::int from pg_prepared_statements`);
  expect(row!.count).toBe(30);
});

it("adds up as numerics what is no bigint", async () => {
  const sums = (numbers: string[]) =>
    sql`select sum8(n)::text as sum from unnest(${numbers}::int8[]) as numbers(n)`;
  const large = "9000000000000000000";
  expect(await run(sums([large, large]), "prepared")).toEqual([{ sum: "18000000000000000000" }]);
  expect(await run(sums([large, large, `-${large}`, `-${large}`]))).toEqual([{ sum: "0" }]);
  expect(await run(sums(["1", "2"]), "prepared")).toEqual([{ sum: "3" }]);
  await expect(run(sql`select ${70_000}::int::int2`)).rejects.toMatchObject({ code: "22003" });
});
