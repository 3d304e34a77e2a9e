import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, it } from "vitest";
import { Client } from "pg";
import { createCallWriter, rollUp } from "../src/index.ts";
import { createTestDatabase, type TestDatabase } from "../src/testing/index.ts";
import { modelCall } from "./model-calls.ts";

let database: TestDatabase;
/** What is left of the quarter under way must be enough for a test. */
const ENOUGH_MS = 60_000;

beforeEach(async () => {
  const left = 900_000 - (Date.now() % 900_000);
  if (left < ENOUGH_MS) await sleep(left + 1_000);
  database = await createTestDatabase();
}, 90_000);
afterEach(() => database.close());

const MANY = 2_100;

async function one<T>(statement: string): Promise<T> {
  const [row] = await database.orm.em.fork().execute<T[]>(statement);
  return row!;
}

async function record(round: number): Promise<void> {
  const calls = Array.from({ length: MANY }, (_, i) =>
    modelCall({ id: `call-${round}-${i}`, userDid: `did:abt:z1user${i}`, callTime: new Date() }),
  );
  await createCallWriter(database.orm).record(calls);
}

const waiting = async () =>
  Number((await one<{ n: string }>("select count(*) as n from model_call_changes")).n);
/** Calls in fine rows, in those of weeks, and in those of all users together. */
const rolled = () =>
  one<Record<string, string | null>>(`
    select sum(calls) filter (where user_id <> 0 and time_type in (0, 1, 2)) as fine,
           sum(calls) filter (where user_id <> 0 and time_type = 6) as weeks,
           sum(calls) filter (where user_id = 0 and time_type = 5) as everyone
      from model_call_stats`);
const all = (calls: number) => ({ fine: String(calls), weeks: String(calls), everyone: String(calls) });

it("is rolled up where it is of many users, and again with the calls that come after", async () => {
  await record(1);
  await rollUp(database.orm, { includesOpen: true });
  expect(await waiting()).toBe(0);
  expect(await rolled()).toEqual(all(MANY));
  await record(2);
  expect(await waiting()).toBeGreaterThanOrEqual(MANY);
  await rollUp(database.orm, { includesOpen: true });
  expect(await waiting()).toBe(0);
  expect(await rolled()).toEqual(all(2 * MANY));
});

it("is not announced, because nobody keeps answers of it", async () => {
  const listener = new Client({ connectionString: database.url });
  const heard: (string | undefined)[] = [];
  await listener.connect();
  try {
    listener.on("notification", ({ payload }) => heard.push(payload));
    await listener.query("listen usage_stats_changes");
    await record(1);
    await rollUp(database.orm, { includesOpen: true });
    expect(await waiting()).toBe(0);
    await listener.query("select pg_notify('usage_stats_changes', 'last')");
    await expect.poll(() => heard.at(-1)).toBe("last");
    expect(heard).toEqual(["last"]);
  } finally {
    await listener.end();
  }
});

it("waits for its end where nobody asks, or it is of few users", async () => {
  await createCallWriter(database.orm).record([modelCall({ callTime: new Date() })]);
  await rollUp(database.orm, { includesOpen: true });
  expect(await waiting()).toBe(1);
  await record(1);
  await rollUp(database.orm);
  expect(await waiting()).toBeGreaterThanOrEqual(MANY);
});

it("is left alone while somebody writes who relies on its entries, and their calls are never missing", async () => {
  await record(1);
  const writer = new Client({ connectionString: database.url });
  await writer.connect();
  try {
    await writer.query("begin");
    await writer.query(
      `insert into model_calls (user_did, id, call_time, provider_id, model, type, status)
       select user_did, 'another', call_time, provider_id, model, type, status from model_calls where user_did = 'did:abt:z1user7'`,
    );
    await rollUp(database.orm, { includesOpen: true });
    expect(await waiting()).toBeGreaterThanOrEqual(MANY);
    await writer.query("commit");
  } finally {
    await writer.end();
  }
  await rollUp(database.orm, { includesOpen: true });
  expect(await waiting()).toBe(0);
  expect(await rolled()).toEqual(all(MANY + 1));
});
