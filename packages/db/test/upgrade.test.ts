import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EXPECTED_INDEXES, migrate, openDatabase, rollUp, verifyRollups } from "../src/index.ts";
import { createTestDatabase, type TestDatabase } from "../src/testing/index.ts";
import { rollUpAsThen } from "./first-rollups.ts";

const FIRST_RELEASE = "20261123000006-void-calls";

// As servers of the first release write, which go on while one of the next migrates.
const OLD_WRITE = `
  with made as materialized (select ensure_model_calls_partition(time) as name, time from (select ?::timestamptz as time) as input),
  written as (
    insert into model_calls as old (user_did, id, call_time, provider_id, model, type, status)
    select 'writer', ?, time, 'p', 'm', 'embedding', 'success' from made
    on conflict (user_did, id, call_time) do update set status = excluded.status where old.status is distinct from excluded.status
    returning 1)
  select count(*) from written`;

let database: TestDatabase;
let columns: string[];

/** A database of the first release, with calls of three months, of which some are void and some are not rolled up. */
beforeEach(async () => {
  database = await createTestDatabase({ from: "empty" });
  await database.orm.migrator.up({ to: FIRST_RELEASE });
  columns = await columnsOf("model_calls");
  for (const month of ["2025-05-01", "2025-06-01", "2025-07-01"])
    await run("select ensure_model_calls_partition(?::timestamptz)", [`${month}T00:00:00Z`]);
  // The month that writers need later.
  await run("select ensure_model_calls_partition('2025-08-01T00:00:00Z')");
  await run(`insert into model_calls (user_did, id, call_time, provider_id, model, type, status, total_usage)
    select 'user-' || i % 20, i::text, timestamptz '2025-05-01 00:00+00' + i * interval '7 minutes', 'p', 'm', 'embedding', 'success', i
      from generate_series(0, 12000) i`);
  await rollUpAsThen(run);
  await run("update model_calls set voided_at = now() where id::int % 100 = 0");
});
afterEach(() => database.close());

function run<Row>(sql: string, params: unknown[] = []): Promise<Row[]> {
  return database.orm.em.fork().execute(sql, params);
}

/** Every call as the first release knows it, in an order of its own. */
function contents(): Promise<{ all: string }[]> {
  return run(
    `select md5(string_agg((${columns.join(", ")})::text, '|' order by user_did, id, call_time)) as all from model_calls as calls where id !~ '^new'`,
  );
}

async function columnsOf(table: string): Promise<string[]> {
  const rows = await run<{ name: string }>(
    `select attname as name from pg_attribute where attrelid = '${table}'::regclass and attnum > 0 order by attnum`,
  );
  return rows.map(({ name }) => name);
}

async function liveIndexes(): Promise<string[]> {
  const rows = await run<{ name: string }>(
    `select i.relname as name from pg_index x join pg_class i on i.oid = x.indexrelid join pg_class t on t.oid = x.indrelid
      where t.relnamespace = current_schema()::regnamespace and not t.relispartition and t.relname <> 'mikro_orm_migrations' and x.indisvalid`,
  );
  return rows.map(({ name }) => name).toSorted();
}

it("upgrades a database of the first release while it is written to, waiting for nobody's locks with all others behind it", async () => {
  const before = await contents();
  const other = await openDatabase({ url: database.url, poolSize: 4 });
  const reader = new Client({ connectionString: database.url });
  await reader.connect();
  try {
    // A report that takes its time, begun before the upgrade.
    const HOLD_MS = 4_000;
    await reader.query("begin");
    await reader.query("select count(*) from model_calls");
    const held = sleep(HOLD_MS).then(() => reader.query("commit"));

    const upgraded = new AbortController();
    let longestMs = 0;
    const acknowledged: string[] = [];
    const write = async (writer: number) => {
      for (let n = 0; !upgraded.signal.aborted; n += 1) {
        const id = `new-${writer}-${n}`;
        const started = performance.now();
        await other.em.fork().execute(OLD_WRITE, [`2025-0${5 + (n % 4)}-03T10:${10 + (n % 50)}:00Z`, id]);
        longestMs = Math.max(longestMs, performance.now() - started);
        acknowledged.push(id);
      }
    };
    const writers = Promise.all([write(0), write(1), write(2)]);
    const applied = await migrate(database.orm, new Date("2025-07-20T00:00:00Z"));
    await held;
    upgraded.abort();
    await writers;

    expect(applied.length).toBeGreaterThan(0);
    // They would have waited for as long as the report if the upgrade had stood in line for its lock.
    expect(longestMs).toBeLessThan(HOLD_MS - 1_000);
    expect(await contents()).toEqual(before);
    const kept = await run<{ id: string }>("select id from model_calls where id ~ '^new'");
    expect(kept.map(({ id }) => id).toSorted()).toEqual(acknowledged.toSorted());
    expect(await liveIndexes()).toEqual(Object.keys(EXPECTED_INDEXES).toSorted());
    expect(await database.orm.migrator.checkSchema()).toBe(false);
    await rollUp(database.orm);
    expect((await verifyRollups(database.orm)).differences).toEqual([]);
  } finally {
    await reader.end();
    await other.close();
  }
}, 60_000);

it("upgrades again where an earlier try was ended midway", async () => {
  // An index that a killed build left behind, and one that it had finished.
  await run(
    "create unique index concurrently model_calls_2025_05_key_by_time on model_calls_2025_05 (user_did, call_time, id)",
  );
  await run(
    "create unique index concurrently model_calls_2025_06_key_by_time on model_calls_2025_06 (user_did, call_time, id)",
  );
  await run(
    "update pg_index set indisvalid = false where indexrelid = 'model_calls_2025_06_key_by_time'::regclass",
  );
  await migrate(database.orm, new Date("2025-07-20T00:00:00Z"));
  const rows = await run<{ valid: boolean; table: string }>(
    "select indisvalid as valid, indrelid::regclass::text as table from pg_index where indrelid::regclass::text ~ '^model_calls_'",
  );
  expect(rows.every(({ valid }) => valid)).toBe(true);
  // The key, and the three indexes of runs and conversations.
  expect(rows.map(({ table }) => table).toSorted()).toEqual(
    ["05", "06", "07", "08", "09", "10"].flatMap((month) => Array(4).fill(`model_calls_2025_${month}`)),
  );
});

it("is done once by two processes at once, of which one builds indexes while the other waits", async () => {
  const other = await openDatabase({ url: database.url });
  try {
    const now = new Date("2025-07-20T00:00:00Z");
    const [one, two] = await Promise.all([migrate(database.orm, now), migrate(other, now)]);
    expect(Math.min(one.length, two.length)).toBe(0);
    expect(await liveIndexes()).toEqual(Object.keys(EXPECTED_INDEXES).toSorted());
  } finally {
    await other.close();
  }
});

it("goes back to the first release and up again with all calls", async () => {
  const before = await contents();
  await migrate(database.orm, new Date("2025-07-20T00:00:00Z"));
  await database.orm.migrator.down({ to: FIRST_RELEASE });
  expect(await contents()).toEqual(before);
  expect(await liveIndexes()).toContain("model_calls_pkey");
  await expect(run("insert into model_calls select * from model_calls where id = '1'")).rejects.toThrow(
    /model_calls_2025_05_pkey/,
  );
  await migrate(database.orm, new Date("2025-07-20T00:00:00Z"));
  expect(await contents()).toEqual(before);
  await rollUp(database.orm);
  expect((await verifyRollups(database.orm)).differences).toEqual([]);
});

it("does not go back past void calls, which would count again", async () => {
  await expect(database.orm.migrator.down({ to: "20261123000005-access" })).rejects.toThrow(
    /There are 121 voided calls/,
  );
  const before = await contents();
  await run("delete from model_calls where voided_at is not null");
  await database.orm.migrator.down({ to: "20261123000005-access" });
  await migrate(database.orm, new Date("2025-07-20T00:00:00Z"));
  expect(await contents()).not.toEqual(before);
  await rollUp(database.orm);
  expect((await verifyRollups(database.orm)).differences).toEqual([]);
});

describe("from the version that logged each transaction by itself", () => {
  const BEFORE = "20261125000005-measure-limits";
  const insert = (table: string, id: string, time: string) =>
    run(`insert into ${table} (user_did, id, call_time, provider_id, model, type, status)
      values ('user-1', '${id}', ${time}, 'p', 'm', 'embedding', 'success')`);
  const entriesOfNow = async () => {
    const [row] = await run<{ count: string }>(
      "select count(*) from model_call_changes where user_did = 'user-1' and quarter >= now() - interval '1 hour'",
    );
    return Number(row!.count);
  };
  const writers: Client[] = [];
  afterEach(async () => {
    await Promise.all(writers.splice(0).map((client) => client.end()));
  });

  /** Who was announced while something ran. */
  async function announcedBy(act: () => Promise<unknown>): Promise<string[]> {
    const client = new Client({ connectionString: database.url });
    writers.push(client);
    await client.connect();
    await client.query("listen usage_stats_changes");
    const heard: string[] = [];
    client.on("notification", ({ payload = "" }) => heard.push(payload));
    await act();
    await client.query("select 1");
    return heard;
  }

  it("keeps entries, has old and new partitions logged once, and goes back with all of it", async () => {
    await database.orm.migrator.up({ to: BEFORE });
    await run("select ensure_model_calls_partition(now())");
    for (const id of ["new-1", "new-2"]) await insert("model_calls", id, "now()");
    expect(await entriesOfNow()).toBe(2);
    const before = await contents();

    await migrate(database.orm, new Date());
    expect(await entriesOfNow()).toBe(2);
    for (const id of ["new-3", "new-4"]) await insert("model_calls", id, "now()");
    expect(await entriesOfNow()).toBeLessThan(4);
    await run("select ensure_model_calls_partition('2025-12-01')");
    for (const table of ["model_calls_2025_06", "model_calls_2025_12", "model_calls"])
      expect(
        await announcedBy(() =>
          insert(
            table,
            `new-${table}`,
            `timestamptz '2025-${table.endsWith("12") ? "12" : "06"}-03 10:00+00'`,
          ),
        ),
      ).toEqual(["user-1"]);
    await rollUp(database.orm);
    expect((await verifyRollups(database.orm)).differences).toEqual([]);

    await database.orm.migrator.down({ to: BEFORE });
    expect(await contents()).toEqual(before);
    const logged = await entriesOfNow();
    for (const id of ["new-5", "new-6"]) await insert("model_calls", id, "now()");
    expect(await entriesOfNow()).toBe(logged + 2);
    expect(
      await announcedBy(() => insert("model_calls", "new-7", "timestamptz '2025-06-03 10:00+00'")),
    ).toEqual(["user-1"]);
    await migrate(database.orm, new Date());
    await rollUp(database.orm);
    expect((await verifyRollups(database.orm)).differences).toEqual([]);
  });

  it("lets whoever could write calls go on writing them", async () => {
    const role = `writer_${database.url.slice(-8)}`;
    await database.orm.migrator.up({ to: BEFORE });
    await run("select ensure_model_calls_partition(now())");
    await run(`create role ${role}`);
    try {
      await run(`grant insert on model_calls, model_call_changes to ${role}`);
      await migrate(database.orm, new Date());
      const client = new Client({ connectionString: database.url });
      writers.push(client);
      await client.connect();
      await client.query(`set role ${role}`);
      for (const time of ["now()", "'2025-06-03 10:00+00'"])
        await client.query(`insert into model_calls (user_did, id, call_time, provider_id, model, type, status)
          values ('user-1', 'new', ${time}, 'p', 'm', 'embedding', 'success')`);
      await client.query("reset role");
      expect(await run("select from model_calls where id = 'new'")).toHaveLength(2);
    } finally {
      await run(`drop owned by ${role}`);
      await run(`drop role ${role}`);
    }
  });
});

describe("from the version whose calls had no keys, tags and runs", () => {
  const BEFORE = "20261125000007-one-entry";
  const INDEXES = ["run_id", "parent_run_id", "conversation_id"].map(
    (name) => `idx_model_calls_user_${name}`,
  );
  const insert = (column: string, value: string, time = "2025-05-03") =>
    run(
      `insert into model_calls (user_did, id, call_time, provider_id, model, type, status, ${column})
       values ('user-1', 'new', ?, 'p', 'm', 'embedding', 'success', ?)`,
      [time, value],
    );

  /** How many partitions have a valid part of each index. */
  const indexed = async () => {
    const rows = await run<{ parent: string; parts: number }>(
      `select parent.relname as parent, count(*)::int as parts from pg_inherits
         join pg_class as parent on parent.oid = inhparent join pg_index as part on part.indexrelid = inhrelid and part.indisvalid
        where parent.relname = any(array['${INDEXES.join("','")}']) group by 1`,
    );
    return Object.fromEntries(rows.map(({ parent, parts }) => [parent, parts]));
  };
  const inAll = (partitions: number) => Object.fromEntries(INDEXES.map((name) => [name, partitions]));

  it("goes on where an earlier try was ended midway, and gives later months the same", async () => {
    await database.orm.migrator.up({ to: BEFORE });
    await run("alter table model_calls add column run_id text");
    for (const month of ["05", "06"])
      await run(
        `create index concurrently model_calls_2025_${month}_user_run_id_idx on model_calls_2025_${month} (user_did, run_id) where run_id is not null`,
      );
    await run(
      "update pg_index set indisvalid = false where indexrelid = 'model_calls_2025_06_user_run_id_idx'::regclass",
    );
    const before = await contents();
    await migrate(database.orm, new Date("2025-07-20T00:00:00Z"));
    expect(await contents()).toEqual(before);
    expect(await indexed()).toEqual(inAll(6));
    expect(await liveIndexes()).toEqual(Object.keys(EXPECTED_INDEXES).toSorted());
    expect(await database.orm.migrator.checkSchema()).toBe(false);
    await run("select ensure_model_calls_partition('2026-03-01')");
    expect(await indexed()).toEqual(inAll(7));
    await expect(insert("key_id", "", "2026-03-03")).rejects.toThrow(/model_calls_dimensions_check/);
  });

  it("holds every writer to the limits", async () => {
    await migrate(database.orm, new Date("2025-07-20T00:00:00Z"));
    const unchecked = await run(
      "select conname from pg_constraint where conrelid::regclass::text ~ '^model_calls' and not convalidated",
    );
    expect(unchecked).toEqual([]);
    for (const column of ["key_id", "run_id", "parent_run_id", "conversation_id"])
      for (const bad of ["", "x".repeat(257), "模".repeat(86)])
        await expect(insert(column, bad)).rejects.toThrow(/model_calls_dimensions_check/);
    for (const bad of ["{}", "[]", '"team"', `{"team":"${"x".repeat(4090)}"}`])
      await expect(insert("tags", bad)).rejects.toThrow(/model_calls_tags_check/);
    await insert("key_id", "x".repeat(256));
  });

  it("goes back with what calls cost, and up again", async () => {
    await migrate(database.orm, new Date("2025-07-20T00:00:00Z"));
    const before = await contents();
    await run("update model_calls set run_id = 'r', tags = '{\"team\":\"a\"}' where id = '7'");
    await database.orm.migrator.down({ to: BEFORE });
    expect(await columnsOf("model_calls")).not.toContain("run_id");
    expect(await indexed()).toEqual({});
    expect(await contents()).toEqual(before);
    await migrate(database.orm, new Date("2025-07-20T00:00:00Z"));
    expect(await contents()).toEqual(before);
    await rollUp(database.orm);
    expect((await verifyRollups(database.orm)).differences).toEqual([]);
  });
});
