import { setTimeout as sleep } from "node:timers/promises";
import { UsageStatsError } from "@usage-stats/core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import {
  createApiKeyStore,
  createCallWriter,
  type Database,
  openDatabase,
  takesWrites,
  rollUp,
} from "../../src/index.ts";
import sql from "sql-template-tag";
import { createStatementRunner } from "../../src/reading/statement-runner.ts";
import { createTestDatabase, startTcpProxy, type TestDatabase } from "../../src/testing/index.ts";
import { modelCall } from "../model-calls.ts";

let database: TestDatabase;
let orm: Database;

beforeAll(async () => {
  database = await createTestDatabase({ poolSize: 2 });
});
beforeEach(async () => {
  orm = await openDatabase({ url: database.url, poolSize: 3, applicationName: "victim" });
});
afterEach(async () => {
  await setReadOnly(false);
  await orm.close();
});
afterAll(() => database.close());

const name = () => new URL(database.url).pathname.slice(1);
const admin = <Row>(statement: string) =>
  database.orm.em.fork().execute<Row[]>(`set default_transaction_read_only = off; ${statement}`);

async function setReadOnly(on: boolean): Promise<void> {
  await admin(
    `alter database ${name()} ${on ? "set default_transaction_read_only = on" : "reset default_transaction_read_only"}`,
  );
}
async function cutConnections(): Promise<void> {
  await admin("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'victim'");
}

let calls = 0;
const everything: Record<string, () => Promise<unknown>> = {
  read: () => createStatementRunner(orm)()(sql`select 1 as one`),
  "abortable read": () => createStatementRunner(orm)(new AbortController().signal)(sql`select 1`),
  write: () => createCallWriter(orm).record([modelCall({ id: `c${(calls += 1)}`, callTime: new Date() })]),
  key: () => createApiKeyStore(orm).find("none"),
  worker: () => rollUp(orm).catch(() => rollUp(orm)),
};
it("closes while connections are being made and lent", async () => {
  await fill();
  await cutConnections();
  await Promise.all([1, 2, 3].map(() => everything["key"]!().catch(() => {}))).catch(() => {});
  const late = [1, 2, 3, 4, 5].map(() => everything["key"]!().catch(() => {}));
  await orm.close();
  expect(await Promise.all(late)).toHaveLength(5);
  orm = await openDatabase({ url: database.url });
});

/** Three of a kind at once, so that every connection is in the pool. */
const fill = () => Promise.all([1, 2, 3].map(() => orm.em.fork().execute("select pg_sleep(0.05)")));

it.each(Object.keys(everything))(
  "does not cost an answer when idle connections were cut: %s",
  async (kind) => {
    await fill();
    await cutConnections();
    expect(await Promise.all([1, 2, 3].map(() => everything[kind]!()))).toHaveLength(3);
  },
);

it.each(Object.keys(everything))(
  "does not cost an answer when idle connections have gone dead without a word: %s",
  async (kind) => {
    const proxy = await startTcpProxy(database.url);
    await orm.close();
    orm = await openDatabase({ url: proxy.url, poolSize: 3, connectTimeoutMs: 3_000 });
    try {
      await fill();
      await sleep(1_100);
      proxy.silence();
      expect(await Promise.all([1, 2, 3].map(() => everything[kind]!()))).toHaveLength(3);
    } finally {
      await orm.close();
      await proxy.close();
    }
  },
);

it("writes again after at most one failure, when connections were left with a server that takes no writes", async () => {
  await setReadOnly(true);
  await fill();
  expect(await takesWrites(orm)).toBe(false);
  await expect(everything["write"]!()).rejects.toThrow(UsageStatsError);
  await fill();
  await setReadOnly(false);
  const outcomes = [];
  for (let i = 0; i < 4; i += 1) {
    outcomes.push(
      await everything["write"]!().then(
        () => "written",
        () => "failed",
      ),
    );
  }
  expect(outcomes.slice(1)).toEqual(["written", "written", "written"]);
  expect(await takesWrites(orm)).toBe(true);
});

it("leaves a server that takes no writes also where it is only read from", async () => {
  await setReadOnly(true);
  await fill();
  await setReadOnly(false);
  await expect.poll(() => takesWrites(orm), { timeout: 10_000, interval: 300 }).toBe(true);
}, 15_000);
