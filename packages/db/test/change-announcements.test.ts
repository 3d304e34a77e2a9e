import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { createCallWriter, createRebuilder, listenForChanges, rollUp } from "../src/index.ts";
import { createTestDatabase, type TestDatabase, testEar } from "../src/testing/index.ts";
import { modelCall } from "./model-calls.ts";

let database: TestDatabase;
let listener: { close(): Promise<void> };
let connected = 0;
let heard: (string | null)[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  await run("select ensure_model_calls_partition('2025-06-01')");
  listener = listenForChanges(database.url, {
    ...testEar(database),
    onChange: (userDid) => heard.push(userDid),
    onMissed: () => (connected += 1),
    onHearing: () => {},
    onDeaf: () => {},
  });
  await vi.waitUntil(() => connected === 1);
});
beforeEach(async () => {
  await run("delete from model_calls");
  await rollUp(database.orm);
  await fence();
});
afterAll(async () => {
  await listener.close();
  await database.close();
});

function run<Row>(sql: string, params: unknown[] = []): Promise<Row[]> {
  return database.orm.em.fork().execute(sql, params);
}

/** Everything announced so far, and none of it again: announcements arrive in the order of their commits. */
async function fence(): Promise<(string | null)[]> {
  await run("select pg_notify('usage_stats_changes', 'fence')");
  await vi.waitFor(() => expect(heard.at(-1)).toBe("fence"));
  const before = heard.slice(0, -1);
  heard = [];
  return before;
}

const INSERT = `insert into model_calls (user_did, id, call_time, provider_id, model, type, status)
  select ? || (i % ?), i::text, ?::timestamptz, 'p', 'm', 'embedding', 'success' from generate_series(0, 999) i`;

it("names whose closed quarters a statement changed, each once", async () => {
  await run(INSERT, ["user", 3, "2025-06-15T12:00:00Z"]);
  const named = await fence();
  expect(named).toHaveLength(3);
  expect(new Set(named)).toEqual(new Set(["user0", "user1", "user2"]));
});

it("names nobody where there are many, so that everybody's counts", async () => {
  await run(INSERT, ["user", 101, "2025-06-15T12:00:00Z"]);
  expect(await fence()).toEqual([null]);
});

it("names a hundred in one transaction, and then nobody, however many statements it has", async () => {
  const em = database.orm.em.fork();
  await em.begin();
  for (const [prefix, hour] of [
    ["one", 10],
    ["one", 11],
    ["two", 12],
    ["three", 13],
    ["four", 14],
  ])
    await em.execute(INSERT, [prefix, 40, `2025-06-15T${hour}:00:00Z`]);
  await em.commit();
  const named = await fence();
  expect(named).toHaveLength(81);
  expect(named.at(-1)).toBe(null);
  expect(new Set(named).size).toBe(81);
});

it("is silent about the quarter that is still open, and about what comes after it", async () => {
  await createCallWriter(database.orm).record([
    modelCall({ id: "now", callTime: new Date() }),
    modelCall({ id: "soon", callTime: new Date(Date.now() + 3_600_000) }),
  ]);
  expect(await fence()).toEqual([]);
});

it("tells of a correction, a deletion by hand, a write into a partition, a rebuild and rolling up; not of repeats", async () => {
  const callWriter = createCallWriter(database.orm);
  const { userDid } = modelCall();
  await callWriter.record([modelCall()]);
  expect(await fence()).toEqual([userDid]);
  await callWriter.record([modelCall()]);
  expect(await fence()).toEqual([]);
  await callWriter.record([modelCall({ status: "failed" })]);
  expect(await fence()).toEqual([userDid]);
  await rollUp(database.orm);
  expect(await fence()).toEqual([userDid]);
  await rollUp(database.orm);
  expect(await fence()).toEqual([]);
  await createRebuilder(database.orm).start({ userDid });
  expect(await fence()).toEqual([userDid]);
  await run("delete from model_calls_2025_06");
  expect(await fence()).toEqual([userDid]);
});

describe("a transaction that was open while its quarter ended", () => {
  beforeAll(async () => {
    // A clock that a session can put in the place of the true one.
    await run("create schema clock");
    await run(
      "create function clock.clock_timestamp() returns timestamptz language sql as $$ select pg_catalog.clock_timestamp() + current_setting('clock.ahead')::interval $$",
    );
  });

  async function commitLate(users: number, ahead: string): Promise<void> {
    const em = database.orm.em.fork();
    await em.begin();
    await em.execute(INSERT, ["user", users, new Date().toISOString()]);
    await em.execute("set local search_path = clock, pg_catalog, public");
    await em.execute("select set_config('clock.ahead', ?, true)", [ahead]);
    await em.commit();
  }

  it("is announced when it commits", async () => {
    await commitLate(3, "15 minutes");
    const named = await fence();
    expect(named).toHaveLength(3);
    expect(new Set(named)).toEqual(new Set(["user0", "user1", "user2"]));
  });

  it("names nobody where there are many, so that everybody's counts", async () => {
    await commitLate(1000, "15 minutes");
    expect(await fence()).toEqual([null]);
  });

  it("is announced where it relied on the entries of others, which were there already", async () => {
    await run(INSERT, ["user", 3, new Date().toISOString()]);
    await run("delete from model_calls");
    expect(await fence()).toEqual([]);
    await commitLate(3, "15 minutes");
    expect(new Set(await fence())).toEqual(new Set(["user0", "user1", "user2"]));
  });

  it("is silent where the quarter is still open", async () => {
    await commitLate(3, "0");
    expect(await fence()).toEqual([]);
  });
});

it("tells whose calls count again, once a month was attached again", async () => {
  const { userDid } = modelCall();
  await createCallWriter(database.orm).record([modelCall({ callTime: new Date("2025-03-10T12:00:00Z") })]);
  await rollUp(database.orm);
  await run("alter table model_calls detach partition model_calls_2025_03");
  await rollUp(database.orm);
  await fence();
  await run(
    "alter table model_calls attach partition model_calls_2025_03 for values from ('2025-03-01 00:00+00') to ('2025-04-01 00:00+00')",
  );
  await run("select notice_missing_months()");
  expect(await fence()).toEqual([userDid]);
});

it("is silent about what was undone", async () => {
  const em = database.orm.em.fork();
  await em.begin();
  await em.execute(INSERT, ["user", 1, "2025-06-15T12:00:00Z"]);
  await em.rollback();
  expect(await fence()).toEqual([]);
});

it("is heard again after the connection was cut, and says so", async () => {
  await run(
    "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'usage-stats listener' and datname = current_database()",
  );
  await expect.poll(() => connected, { timeout: 10_000 }).toBe(2);
  await createCallWriter(database.orm).record([modelCall()]);
  expect(await fence()).toEqual([modelCall().userDid]);
});
