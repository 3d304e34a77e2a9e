import { pipeline } from "node:stream/promises";
import { Readable } from "node:stream";
import { Client } from "pg";
import { from as copyFrom } from "pg-copy-streams";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createCallWriter, isMigrated, migrate, openDatabase, rollUp, verifyRollups } from "../src/index.ts";
import { createTestDatabase, type TestDatabase } from "../src/testing/index.ts";
import { modelCall } from "./model-calls.ts";

const now = new Date("2026-11-20T00:00:00Z");
const COLUMNS = "user_did, id, call_time, provider_id, model, type, status";
const row = (id: string) => `('u', '${id}', '2026-11-24 10:00+00', 'p', 'm', 'chatCompletion', 'success')`;

let database: TestDatabase;
let client: Client;
beforeEach(async () => {
  database = await createTestDatabase({ from: "empty" });
  client = new Client({ connectionString: database.url });
  await client.connect();
});
afterEach(async () => {
  await client.end();
  await database.close();
});

async function marks(schema: string): Promise<number> {
  const { rows } = await client.query<{ count: string }>(`select count(*) from ${schema}.model_call_changes`);
  return Number(rows[0]!.count);
}

/** Every statement of somebody whose search path leads elsewhere. */
async function writeBlindly(schema: string): Promise<void> {
  await client.query("set search_path = ''");
  await client.query(`select ${schema}.ensure_model_calls_partition('2026-05-15 00:00Z')`);
  await client.query(`insert into ${schema}.model_calls (${COLUMNS}) values ${row("1")}`);
  await client.query(`insert into ${schema}.model_calls_2026_11 (${COLUMNS}) values ${row("2")}`);
  await client.query(`update ${schema}.model_calls set model = 'n' where id = '1'`);
  await client.query(`delete from ${schema}.model_calls where id = '2'`);
  await pipeline(
    Readable.from(["u\t3\t2026-05-15 10:00+00\tp\tm\tcustom\tsuccess\n"]),
    client.query(copyFrom(`copy ${schema}.model_calls_2026_05 (${COLUMNS}) from stdin`)),
  );
  await expect(client.query(`truncate ${schema}.model_calls`)).rejects.toThrow(/cannot be truncated/);
  await client.query(
    `insert into ${schema}.api_keys (id, name, scopes, secret_hash, created_at, created_by) values ('k', 'k', '{}', 'x', now(), 'me')`,
  );
  await client.query(`update ${schema}.api_keys set revoked_at = now()`);
  await client.query(
    `select ${schema}.notice_missing_months(), ${schema}.is_frozen('u', now()), ${schema}.announce_changes('{u}')`,
  );
  await client.query("reset search_path");
}

it("is written to by whoever has an empty search path, as a restore has", async () => {
  await migrate(database.orm, now);
  await writeBlindly("public");
  expect(await marks("public")).toBe(5);
  await rollUp(database.orm);
  expect((await verifyRollups(database.orm)).differences).toEqual([]);
});

describe("two schemas of one database", () => {
  it("have their own tables, partitions and marks", async () => {
    const urls = ["s1", "s2"].map((schema) => {
      const url = new URL(database.url);
      url.searchParams.set("options", `-csearch_path=${schema}`);
      return url.href;
    });
    for (const schema of ["s1", "s2"]) await client.query(`create schema ${schema}`);
    const [one, two] = await Promise.all(urls.map((url) => openDatabase({ url })));
    try {
      for (const orm of [one!, two!]) {
        expect((await migrate(orm, now)).length).toBeGreaterThan(0);
        expect(await migrate(orm, now)).toEqual([]);
        expect(await isMigrated(orm)).toBe(true);
        expect(await orm.migrator.checkSchema()).toBe(false);
      }
      // A month that only the other has, and one that only the other dropped.
      await client.query("select s1.ensure_model_calls_partition('2026-03-15 00:00Z')");
      const march = modelCall({ id: "march", callTime: new Date("2026-03-15T00:00:00Z") });
      expect(await createCallWriter(two!).record([march])).toEqual(["added"]);
      await rollUp(two!);
      await client.query("drop table s1.model_calls_2026_03");
      await rollUp(one!);
      expect(await createCallWriter(two!).record([march, { ...march, id: "late" }])).toEqual([
        "repeated",
        "added",
      ]);
      await rollUp(two!);

      await writeBlindly("s2");
      expect([await marks("s1"), await marks("s2")]).toEqual([0, 5]);
      await rollUp(two!);
      expect(await verifyRollups(two!)).toMatchObject({ differences: [], frozen: 0, users: 2 });
      expect(await verifyRollups(one!)).toMatchObject({ differences: [], compared: 0 });
      await one!.migrator.down({ to: 0 });
      expect(await isMigrated(two!)).toBe(true);
      expect((await verifyRollups(two!)).differences).toEqual([]);
    } finally {
      await Promise.all([one!.close(), two!.close()]);
    }
  });
});
