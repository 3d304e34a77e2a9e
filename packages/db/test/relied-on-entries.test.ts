import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { Client } from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openDatabase, rollUp, verifyRollups } from "../src/index.ts";
import { createTestDatabase, type TestDatabase } from "../src/testing/index.ts";

const ROUNDS = process.env["LONG"] ? 500 : 25;
const QUARTER = "2025-06-20 10:00+00";

let database: TestDatabase;
let clients: Client[] = [];

beforeAll(async () => {
  database = await createTestDatabase({ poolSize: 4 });
  // To the trigger a quarter that is over is still open: so rollers, who know better, take its entries while writers rely on them.
  await run("create schema clock");
  await run(
    `create function clock.clock_timestamp() returns timestamptz language sql as $$ select timestamptz '${QUARTER}' + interval '5 minutes' $$`,
  );
  await run("alter function log_model_call_changes() set search_path = clock, pg_catalog, public, pg_temp");
  await run("select ensure_model_calls_partition('2025-06-01')");
});
beforeEach(async () => {
  await run("delete from model_calls");
  await rollUp(database.orm);
});
afterEach(async () => {
  await Promise.all(clients.map((client) => client.end()));
  clients = [];
});
afterAll(() => database.close());

function run<Row>(sql: string): Promise<Row[]> {
  return database.orm.em.fork().execute(sql);
}

async function connect(): Promise<Client> {
  const client = new Client({ connectionString: database.url });
  await client.connect();
  clients.push(client);
  return client;
}

let ids = 0;

async function write(client: Client, user: string): Promise<void> {
  await client.query(
    `insert into model_calls (user_did, id, call_time, provider_id, model, type, status)
     values ($1, $2, '${QUARTER}', 'p', 'm', 'embedding', 'success')`,
    [user, `call-${(ids += 1)}`],
  );
}

async function entries(): Promise<number> {
  const [row] = await run<{ count: string }>("select count(*) from model_call_changes where user_did <> ''");
  return Number(row!.count);
}

/** How many calls of a user are rolled up. */
async function rolledUp(user: string): Promise<number> {
  await rollUp(database.orm);
  expect((await verifyRollups(database.orm)).differences).toEqual([]);
  const [row] = await run<{ calls: string }>(
    `select coalesce(sum(calls), 0) as calls from usage_rollups where user_did = '${user}' and row_type ~ 'fine'`,
  );
  return Number(row!.calls);
}

it("logs an open quarter of a user once, however many transactions write", async () => {
  const [one, other] = [await connect(), await connect()];
  for (const user of ["a", "b", "a"]) for (const client of [one, other]) await write(client, user);
  expect(await entries()).toBe(2);
  await one.query("update model_calls set model = 'n' where user_did = 'a'");
  await other.query("delete from model_calls where user_did = 'b'");
  expect(await entries()).toBe(2);
});

describe("a writer that relies on another's entry", () => {
  it("is not forgotten by a roller that comes before it commits, and holds up neither it nor other quarters", async () => {
    const [first, writer] = [await connect(), await connect()];
    await write(first, "a");
    await writer.query("begin");
    await write(writer, "a");
    await first.query(
      `insert into model_calls (user_did, id, call_time, provider_id, model, type, status)
       values ('a', 'elsewhere', timestamptz '${QUARTER}' - interval '1 hour', 'p', 'm', 'embedding', 'success')`,
    );
    expect(await rolledUp("a")).toBe(1);
    expect(await entries()).toBe(1);
    await writer.query("commit");
    expect(await rolledUp("a")).toBe(3);
    expect(await entries()).toBe(0);
  });

  it("is not forgotten by whoever deletes entries without looking, as servers of the version before do", async () => {
    const [first, writer] = [await connect(), await connect()];
    await write(first, "a");
    await writer.query("begin");
    await write(writer, "a");
    await run("delete from model_call_changes");
    expect(await entries()).toBe(1);
    await writer.query("rollback");
    await run("delete from model_call_changes");
    expect(await entries()).toBe(0);
  });

  it.each(["read committed", "repeatable read", "serializable"])(
    "relies on none that is being deleted, or was since it began (%s)",
    async (level) => {
      const [roller, writer] = [await connect(), await connect()];
      for (const user of ["a", "b"]) await write(roller, user);
      await writer.query(`begin isolation level ${level}`);
      await writer.query("select from model_call_changes");
      await roller.query("delete from model_call_changes where user_did = 'b'");
      await roller.query("begin");
      await roller.query("delete from model_call_changes where user_did = 'a'");
      for (const user of ["a", "b"]) await write(writer, user);
      await roller.query("commit");
      await writer.query("commit");
      expect(await entries()).toBe(2);
      expect(await rolledUp("a")).toBe(2);
      expect(await rolledUp("b")).toBe(2);
    },
  );

  it("logs again what it had logged in a savepoint that it went back from", async () => {
    const writer = await connect();
    await writer.query("begin; savepoint before");
    await write(writer, "a");
    await writer.query("rollback to before");
    await write(writer, "a");
    await writer.query("commit");
    expect(await rolledUp("a")).toBe(1);
  });
});

it("loses no call of six writers who commit, undo and wait, with two rollers at once that do not look first", async () => {
  // Only the trigger looks.
  await run("alter function quarters_relied_on() set schema clock");
  await run(
    "create function quarters_relied_on() returns setof timestamptz language sql as 'select null::timestamptz where false'",
  );
  await run("alter function keep_entries_relied_on() set search_path = clock, public, pg_temp");
  // Doubles would nearly all be next to nothing.
  const random = fc.sample(fc.noBias(fc.nat(999)), 20_000);
  let drawn = 0;
  const chance = () => random[(drawn += 1) % random.length]! / 1000;
  const written = new AbortController();
  const other = await openDatabase({ url: database.url, poolSize: 2 });
  let [committed, rolled] = [0, 0];

  async function writeOn(client: Client, writer: number): Promise<void> {
    for (let n = 0; Math.min(n, rolled) < ROUNDS; n += 1) {
      // Nobody else writes of this user, and makes good what was forgotten.
      const user = `user-${writer}-${n}`;
      await write(client, user);
      const level = chance() < 0.3 ? "repeatable read" : "read committed";
      await client.query(`begin isolation level ${level}; select from model_calls limit 1; savepoint before`);
      if (chance() < 0.5) await sleep(chance() * 50);
      await write(client, user);
      const isUndone = chance() < 0.2;
      if (isUndone) await client.query("rollback to before");
      if (chance() < 0.5) await sleep(chance() * 200);
      const isGivenUp = chance() < 0.2;
      await client.query(isGivenUp ? "rollback" : "commit");
      committed += isUndone || isGivenUp ? 1 : 2;
    }
  }

  async function rollOn(orm: TestDatabase["orm"]): Promise<void> {
    while (!written.signal.aborted) {
      await rollUp(orm, { onProgress: () => (rolled += 1), signal: written.signal });
      await sleep(chance() * 10);
    }
  }

  // At every moment a rollup is the sum of its calls, or there is an entry.
  async function verifyOn(orm: TestDatabase["orm"]): Promise<void> {
    while (!written.signal.aborted) expect((await verifyRollups(orm)).differences).toEqual([]);
  }

  try {
    const writers = await Promise.all(Array.from({ length: 6 }, connect));
    const writing = Promise.all(writers.map(writeOn)).finally(() => written.abort());
    await Promise.all([writing, rollOn(database.orm), rollOn(other), verifyOn(other)]);
    await rollUp(database.orm);
    expect(await entries()).toBe(0);
    const verification = await verifyRollups(database.orm);
    expect(verification).toMatchObject({ differences: [], waiting: 0 });
    const [row] = await run<{ calls: string }>(
      "select sum(calls) as calls from usage_rollups where user_did <> '' and row_type ~ 'fine'",
    );
    expect(Number(row!.calls)).toBe(committed);
  } finally {
    await other.close();
  }
}, 300_000);
