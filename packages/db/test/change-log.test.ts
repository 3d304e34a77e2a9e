import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { createCallWriter } from "../src/index.ts";
import { createTestDatabase, type TestDatabase } from "../src/testing/index.ts";
import { modelCall } from "./model-calls.ts";

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
  await createCallWriter(database.orm).record([modelCall()]);
});
beforeEach(async () => {
  await run("delete from model_call_changes");
});
afterAll(() => database.close());

function run<Row>(sql: string): Promise<Row[]> {
  return database.orm.em.fork().execute(sql);
}

/** The marks in the log, as `user quarter`. */
async function marks(): Promise<string[]> {
  const rows = await run<{ mark: string }>(
    "select user_did || ' ' || to_char(quarter at time zone 'UTC', 'MM-DD HH24:MI') as mark from model_call_changes order by 1",
  );
  return rows.map(({ mark }) => mark);
}

it("marks a new call's quarter once, however many calls a statement brings", async () => {
  await run(`insert into model_calls (user_did, id, call_time, provider_id, model, type, status)
    select 'a', i::text, timestamptz '2025-06-20 10:14:59+00' + i * interval '1 second', 'p', 'm', 'embedding', 'success' from generate_series(0, 9) i`);
  expect(await marks()).toEqual(["a 06-20 10:00", "a 06-20 10:15"]);
});

it("marks a corrected call, but not an identical repeat", async () => {
  const callWriter = createCallWriter(database.orm);
  expect(await callWriter.record([modelCall()])).toEqual(["repeated"]);
  expect(await marks()).toEqual([]);
  expect(await callWriter.record([modelCall({ status: "failed" })])).toEqual(["corrected"]);
  expect(await marks()).toEqual(["did:abt:z1test 06-15 12:30"]);
});

it("marks both where a call was and where it went", async () => {
  await run(
    "update model_calls set user_did = 'b', call_time = '2025-06-21 09:00+00' where user_did = 'a' and id = '0'",
  );
  expect(await marks()).toEqual(["a 06-20 10:00", "b 06-21 09:00"]);
});

it("marks what is deleted, in the parent and straight from a partition", async () => {
  await run("delete from model_calls where user_did = 'b'");
  await run("delete from model_calls_2025_06 where user_did = 'a' and id = '1'");
  expect(await marks()).toEqual(["a 06-20 10:15", "b 06-21 09:00"]);
});

it("marks what is written straight into a partition, also one that is new", async () => {
  await run("select ensure_model_calls_partition('2031-05-05')");
  await run(
    `insert into model_calls_2031_05 (user_did, id, call_time, provider_id, model, type, status) values ('c', '1', '2031-05-05 00:00+00', 'p', 'm', 'custom', 'success')`,
  );
  await run("update model_calls_2031_05 set model = 'n'");
  expect(new Set(await marks())).toEqual(new Set(["c 05-05 00:00"]));
});

it("leaves no mark behind when the change is undone", async () => {
  const em = database.orm.em.fork();
  await em.begin();
  await em.execute("delete from model_calls");
  await em.rollback();
  expect(await marks()).toEqual([]);
});

it.each(["model_calls", "model_calls_2025_06"])(
  "refuses to truncate %s, which no rollup would notice",
  async (table) => {
    await expect(run(`truncate ${table}`)).rejects.toThrow(/cannot be truncated/);
  },
);
