import { setTimeout as sleep } from "node:timers/promises";
import { createTestDatabase, type TestDatabase } from "@usage-stats/db/testing";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type ServerProcess, serverProcesses } from "./server-process.ts";

let database: TestDatabase;
let processes: Awaited<ReturnType<typeof serverProcesses>>;
let server: ServerProcess;
let key: string;
let token: string;

beforeAll(async () => {
  database = await createTestDatabase({ applicationName: "test" });
  processes = await serverProcesses({
    AUTH_SECRET: "x".repeat(32),
    DATABASE_URL: database.url,
    CACHE: "off",
  });
  key = await processes.key(["calls:write"]);
  token = await processes.token("did:x:failover");
}, 60_000);
afterAll(async () => {
  await processes.end();
  await database.close();
});

const admin = (sql: string) =>
  database.orm.em.fork().execute(`set default_transaction_read_only = off; ${sql}`);
const count = (sql: string) => database.orm.em.fork().execute<{ n: number }[]>(sql);
const name = () => new URL(database.url).pathname.slice(1);
const cut = () =>
  admin(
    "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()",
  );

let calls = 0;
async function write(): Promise<number> {
  const id = `c${(calls += 1)}`;
  const call = {
    id,
    userDid: "did:x:failover",
    providerId: "p",
    model: "m",
    type: "chatCompletion",
    status: "success",
  };
  const { status } = await fetch(`${server.url}/app/api/model-calls`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify([{ ...call, callTime: Math.floor(Date.now() / 1000) - 3_600 }]),
  });
  return status;
}
async function read(): Promise<number> {
  const now = Math.floor(Date.now() / 1000);
  const path = `/app/api/user/usage-stats?startTime=${now - 86_400}&endTime=${now}`;
  const { status } = await fetch(`${server.url}${path}`, { headers: { authorization: `Bearer ${token}` } });
  return status;
}
const listeners = async () => {
  const [row] = await count(
    "select count(*)::int as n from pg_stat_activity where datname = current_database() and application_name = 'usage-stats listener'",
  );
  return row!.n;
};

it("reads and writes again after at most one retry, listens and rolls up, once a failover is over", async () => {
  server = await processes.serve();
  expect([await write(), await read()]).toEqual([200, 200]);
  await admin(`alter database ${name()} set default_transaction_read_only = on`);
  await cut();
  await sleep(2_500);
  expect([await write(), await read()]).toEqual([503, 200]);
  await admin(`alter database ${name()} reset default_transaction_read_only`);

  const [first, second] = [await write(), await write()];
  expect([200, 503]).toContain(first);
  expect(second).toBe(200);
  expect(await read()).toBe(200);
  await expect.poll(listeners, { timeout: 10_000 }).toBe(1);
  // The worker looks by itself every 15 seconds.
  await expect
    .poll(async () => (await count("select count(*)::int as n from model_call_changes"))[0]!.n, {
      timeout: 25_000,
      interval: 500,
    })
    .toBe(0);
  await server.stop();
}, 60_000);

it("does not cost a request when its idle connections are cut", async () => {
  server = await processes.serve();
  await Promise.all([1, 2, 3].flatMap(() => [write(), read()]));
  await cut();
  expect([await read(), await write(), await read(), await write()]).toEqual([200, 200, 200, 200]);
  await server.stop();
}, 30_000);
