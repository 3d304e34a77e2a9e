import { Client } from "pg";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { openDatabase, rollUp } from "../src/index.ts";
import { vacuumChangeLog } from "../src/rolling/vacuum-change-log.ts";
import { createTestDatabase, type TestDatabase } from "../src/testing/index.ts";

const QUARTERS = 10_000;

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
  // Only a vacuum that is asked for.
  await run("alter table model_call_changes set (autovacuum_enabled = off)");
});
afterAll(() => database.close());

function run<Row>(statement: string): Promise<Row[]> {
  return database.orm.em.fork().execute(statement);
}

const fill = () =>
  run(`insert into model_call_changes
       select 'nobody', timestamptz '2025-01-01 00:00+00' + i * interval '15 minutes' from generate_series(1, ${QUARTERS}) i`);

async function pages(): Promise<number> {
  const [row] = await run<{ pages: number }>(
    "select (pg_relation_size('model_call_changes') / current_setting('block_size')::int)::int as pages",
  );
  return row!.pages;
}

it("leaves no dead pages in the log after a big round, and holds up nobody who has the log locked", async () => {
  await fill();
  expect(await pages()).toBeGreaterThan(50);
  await rollUp(database.orm, { batchSize: QUARTERS });
  expect(await pages()).toBeLessThan(5);
  const locker = new Client({ connectionString: database.url });
  await locker.connect();
  try {
    await locker.query("begin; lock table model_call_changes in share row exclusive mode");
    await vacuumChangeLog(database.orm);
  } finally {
    await locker.end();
  }
}, 120_000);

it("warns a role that may not vacuum, and goes on", async () => {
  const role = `roller_${database.url.slice(-8)}`;
  await run(`create role ${role} login password 'x'`);
  await run(`grant select on model_call_changes to ${role}`);
  const url = new URL(database.url);
  [url.username, url.password] = [role, "x"];
  const orm = await openDatabase({ url: url.href });
  const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  try {
    await vacuumChangeLog(orm);
    expect(warn).toHaveBeenCalledExactlyOnceWith(expect.stringMatching(/does not own model_call_changes/));
  } finally {
    warn.mockRestore();
    await orm.close();
    await run(`revoke all on model_call_changes from ${role}`);
    await run(`drop role ${role}`);
  }
});
