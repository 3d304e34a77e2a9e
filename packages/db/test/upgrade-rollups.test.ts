import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { migrate, openDatabase } from "../src/index.ts";
import { CALL_TYPE_CODES } from "../src/layout/call-type-codes.ts";
import { KEPT_SUMS, STORED_COLUMNS, STORED_LIST, STORED_OF_CALL } from "../src/layout/stored-measures.ts";
import { migrationsList } from "../src/migrations/list.ts";
import { createTestDatabase, type TestDatabase } from "../src/testing/index.ts";
import { ODD_SESSIONS, openOddly } from "./odd-sessions.ts";
import {
  ADAPTIVE,
  READ_AS_BEFORE,
  READ_NOW,
  fillAsBefore,
  rollUpAllAsBefore,
  rollUpAsBefore,
} from "./old-rollups.ts";

const BEFORE = migrationsList[migrationsList.findIndex(({ name }) => name === ADAPTIVE) - 1]!.name;
const NOW = new Date("2025-09-20T00:00:00Z");

// LONG=1 upgrades a million calls, and says how long it took.
const CALLS = process.env["LONG"] === undefined ? 4_000 : 1_000_000;

const ODD_NAMES = [`o'clock "quoted" \\`, "naïve 🙂 ü", "100%", "{u,v}", "x".repeat(512)];

let database: TestDatabase;
let client: Client;
const clients: Client[] = [];

beforeEach(async () => {
  database = await createTestDatabase({ from: "empty" });
  await database.orm.migrator.up({ to: BEFORE });
  client = await connect();
  await client.query("create table dropped_calls (user_did text, calls bigint, total_usage bigint)");
  await client.query(
    `create table kept_fine (user_did text, timestamp int, type text, provider_id text, model text, app_did text, status text,
       ${STORED_COLUMNS.map((column) => `${column} numeric`).join(", ")})`,
  );
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((one) => one.end()));
  await database.close();
});

async function connect(): Promise<Client> {
  const one = new Client({ connectionString: database.url });
  one.on("error", () => {
    // It was ended on purpose.
  });
  clients.push(one);
  await one.connect();
  await one.query("set timezone = 'UTC'; set jit = off");
  return one;
}

async function rows<Row>(sql: string, values: unknown[] = []): Promise<Row[]> {
  return (await client.query(sql, values)).rows as Row[];
}

/** Months of calls of a few users, from one who has hundreds a day to one who has one a week, with everything a call may be. */
async function record(from: string, count: number, prefix = "call", days = 97): Promise<void> {
  await rows(
    `select ensure_model_calls_partition(timestamptz '2025-01-01 00:00+00' + i * interval '1 month') from generate_series(4, 9) i`,
  );
  await rows(
    `insert into model_calls (user_did, id, call_time, provider_id, model, type, status, app_did, input_tokens, output_tokens, total_usage, credits, duration_ms, ttfb_ms)
     select ($4::text[])[1 + least(floor(ln(1 + i % 401) * 2.4)::int, cardinality($4::text[]) - 1)], $3 || i, $1::timestamptz + i * $6::int * interval '1 day' / $2::int,
            'p' || i % 3, case when i % 11 = 0 then ($4::text[])[15 - i % 5] else 'm' || i % 5 end,
            ($5::text[])[1 + i % 6], (array['success', 'success', 'success', 'failed', 'processing'])[1 + i % 5],
            case when i % 3 = 0 then null else 'app' || i % 4 end,
            nullif(i % 7, 0) * 10, nullif(i % 4, 0), nullif(i % 9, 0) * 12, (i % 13) * 0.00000001 + i % 2, nullif(i % 17, 0) * 7, nullif(i % 5, 0)
       from generate_series(0, $2::int - 1) i`,
    [from, count, prefix, USERS, Object.keys(CALL_TYPE_CODES), days],
  );
}

const USERS = [...Array.from({ length: 10 }, (_, i) => `user-${i}`), ...ODD_NAMES];

const fineOf = (condition: string) => `
  with calls as (
    select user_did, quarter_of(call_time) as quarter, type, provider_id, model, app_did, status, ${STORED_OF_CALL} from model_calls where voided_at is null)
  select user_did, (extract(epoch from quarter) / 900)::int as timestamp, type, provider_id, model, app_did, status, ${KEPT_SUMS}
    from calls where ${condition} group by user_did, quarter, type, provider_id, model, app_did, status`;

/** Every fine row of users that should be there, of what the log does not name: made of calls, and of what was rolled up of dropped ones. */
const EXPECTED_FINE = `${fineOf("not exists (select from model_call_changes as changed where changed.user_did = calls.user_did and changed.quarter = calls.quarter)")}
  union all select * from kept_fine`;

const FOUND_FINE = `
  select did, timestamp, type.name, provider_id, model, app_did, status, ${STORED_LIST}
    from model_call_stats as fine
    join model_call_users on model_call_users.id = user_id
    join model_call_models as model on model.id = model_id
    join model_call_combos as combo on combo.id = item and combo.model_id = fine.model_id
    join (values ${Object.entries(CALL_TYPE_CODES)
      .map(([name, code]) => `('${name}', ${code})`)
      .join(", ")}) as type(name, code) on type.code = fine.type and type.code = model.type
   where user_id <> 0 and time_type in (0, 1, 2) and slice = slice_of(did)
     and not exists (select from model_call_changes where user_did = did and quarter = quarter_start(timestamp))`;

/** Every row that should follow from the users' fine rows, with itself. */
const EXPECTED_ALL = `
  with users as (select * from model_call_stats where user_id <> 0 and time_type in (0, 1, 2)),
  counted as (
    select *, count(*) over (partition by user_id, timestamp / 96) as of_day, count(*) over (partition by user_id, (timestamp - 384) / 672) as of_week from users),
  fine as (
    select user_id, (case when of_day >= 16 then 2 when of_week >= 16 then 1 else 0 end)::int2 as time_type, slice, timestamp, item, type, model_id, ${STORED_LIST} from counted
    union all
    select 0, 2::int2, slice, timestamp, item, type, model_id, ${KEPT_SUMS} from users group by slice, timestamp, item, type, model_id)
  select user_id, time_type, slice, timestamp, item, type, model_id, ${STORED_LIST} from fine
   where user_id <> 0 or timestamp / 96 in (select timestamp / 96 from users group by 1 having count(*) >= 4096)
  ${[
    [4, "timestamp / 4 * 4", "type", 2],
    [5, "timestamp / 96 * 96", "type", 2],
    [6, "(timestamp - 384) / 672 * 672 + 384", "type", 0],
    [7, "timestamp / 96 * 96", "model_id", 2],
    [8, "(timestamp - 384) / 672 * 672 + 384", "model_id", 1],
    [9, "timestamp / 96 * 96", "item", 2],
    [10, "(timestamp - 384) / 672 * 672 + 384", "item", 1],
  ]
    .map(
      ([timeType, start, item, least]) => `union all
  select user_id, ${timeType}::int2, slice, ${start}, ${item}, type, ${Number(timeType) < 7 ? "null::int" : "model_id"}, ${KEPT_SUMS}
    from fine where time_type >= ${least} group by user_id, slice, ${start}, ${item}, type${Number(timeType) < 7 ? "" : ", model_id"}`,
    )
    .join("\n  ")}`;
const FOUND_ALL = `select user_id, time_type, slice, timestamp, item, type, model_id, ${STORED_LIST} from model_call_stats`;

/** Rows of the one that the other does not have, either way. */
async function differences(expected: string, found: string): Promise<unknown[]> {
  const [one] = await rows<{ count: string }>(`select count(*) from (${found}) as found`);
  expect(Number(one!.count)).toBeGreaterThan(0);
  return rows(
    `(select 'missing' as what, * from ((${expected}) except all (${found})) as missing limit 3)
     union all (select 'surplus', * from ((${found}) except all (${expected})) as surplus limit 3)`,
  );
}

const USERS_OF_DAYS = `
  select distinct user_id, day_start(timestamp) as day from model_call_stats where user_id <> 0 and time_type in (0, 1, 2)`;
const NOTED_USERS = `
  select chunk * 8192 + n, timestamp from model_call_user_days cross join generate_series(0, 8191) as n where get_bit(users, n) = 1`;

async function expectExact(): Promise<void> {
  expect(await differences(EXPECTED_FINE, FOUND_FINE)).toEqual([]);
  expect(await differences(EXPECTED_ALL, FOUND_ALL)).toEqual([]);
  expect(await rows("select from model_call_changes where user_did = ''")).toEqual([]);
  expect(await rows(`(${USERS_OF_DAYS}) except all (${NOTED_USERS})`)).toEqual([]);
  expect(await rows(`(${NOTED_USERS}) except all (${USERS_OF_DAYS})`)).toEqual([]);
  for (const user of ["", ...USERS]) {
    const [answer] = await rows<{ said: string; expected: string }>(READ_NOW, [user]);
    expect(answer!.said).toBe(answer!.expected);
  }
  const left = await rows(
    `select relname from pg_class where relname ~ 'upgrade|_next|model_call_(detail|model)_stats' and relnamespace = current_schema()::regnamespace`,
  );
  expect(left).toEqual([]);
}

/** Drops a month that is rolled up whole, and remembers what of it is kept. */
async function dropMonth(month: string): Promise<void> {
  const ofMonth = `quarter >= '${month}-01T00:00:00Z' and quarter < timestamptz '${month}-01T00:00:00Z' + interval '1 month'`;
  expect(await rows(`select from model_call_changes where ${ofMonth}`)).toEqual([]);
  await rows(`insert into kept_fine ${fineOf(ofMonth)}`);
  const partition = `model_calls_${month.replace("-", "_")}`;
  await rows(
    `insert into dropped_calls select user_did, count(*), sum(total_usage) from ${partition} where voided_at is null group by 1`,
  );
  await rows(`drop table ${partition}`);
}

/** Begins to migrate on a server that is killed as soon as something is so. */
async function migrateAndKill(when: string): Promise<void> {
  const killed = await openDatabase({ url: database.url, applicationName: "killed" });
  try {
    const migrated = migrate(killed, NOW).then(
      () => "done",
      () => "ended",
    );
    for (;;) {
      const [so] = await rows<{ so: boolean }>(`select (${when}) as so`).catch(() => []);
      if (so?.so === true) break;
      await sleep(5);
    }
    await rows("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'killed'");
    expect(await migrated).toBe("ended");
  } finally {
    // A transaction whose connection is gone is never given back.
    void killed.close();
  }
}

it("has what was rolled up in the new layout, and leaves to calls what was not", async () => {
  await record("2025-05-01", 4_000);
  // A day that has fine rows of all users together.
  await record("2025-06-17", 6_000, "busy", 1);
  await fillAsBefore(client);
  await rows("update model_calls set voided_at = now() where id in ('call7', 'call3000')");
  await rollUpAllAsBefore(client, ["users"]);
  await rows("update model_calls set total_usage = 77 where id ~ '^call77'");
  expect((await rows("select from model_call_changes where user_did = ''")).length).toBeGreaterThan(0);
  await migrate(database.orm, NOW);
  await expectExact();
  const types = await rows<{ type: number }>(
    "select distinct time_type as type from model_call_stats order by 1",
  );
  expect(types.map(({ type }) => type)).toEqual([0, 1, 2, 4, 5, 6, 7, 8, 9, 10]);
  expect(
    await rows(
      "select distinct day_start(timestamp) from model_call_stats where user_id = 0 and time_type = 2",
    ),
  ).toHaveLength(1);
}, 120_000);

it("gives no wrong answer while others read, write and roll up the old rollups, who fail once there are none", async () => {
  await record("2025-05-01", CALLS);
  await fillAsBefore(client);
  await dropMonth("2025-05");
  const [reader, writer, roller] = [await connect(), await connect(), await connect()];
  const migrated = new AbortController();
  const answers = { before: 0, now: 0, wrong: [] as unknown[] };
  let rolled = 0;

  const read = async () => {
    for (let n = 0; !migrated.signal.aborted; n += 1) {
      const user = ["", ...USERS][n % (USERS.length + 1)];
      const found = await reader.query(READ_AS_BEFORE, [user]).then(
        ({ rows: [answer] }) => ({ layout: "before" as const, answer }),
        async (error: unknown) => {
          // A column, a table or an operator that is not there, or a text that is no number.
          expect((error as { code: string }).code).toMatch(/^(42703|42P01|42883|22P02|XX000)$/);
          return { layout: "now" as const, answer: (await reader.query(READ_NOW, [user])).rows[0] };
        },
      );
      answers[found.layout] += 1;
      if (found.answer.said !== found.answer.expected) answers.wrong.push({ user, ...found });
    }
  };
  const write = async () => {
    for (let n = 0; !migrated.signal.aborted; n += 1) {
      const time = `timestamptz '2025-06-01 00:00+00' + ${(n * 7919) % 95_000} * interval '1 minute'`;
      await writer.query(
        [
          `insert into model_calls (user_did, id, call_time, provider_id, model, type, status, total_usage)
           values ($1, 'new-${n}', ${time}, 'p-${n % 7}', 'm', 'video', 'success', ${n})`,
          `update model_calls set total_usage = ${n}, status = 'failed', credits = ${n} where user_did = $1 and id ~ '${n % 90}$' and call_time > ${time}`,
          `delete from model_calls where user_did = $1 and id = 'new-${n - 3}'`,
          `update model_calls set voided_at = now() where user_did = $1 and id ~ '^call.*${(n % 90) + 10}$' and call_time < ${time}`,
        ][n % 4]!,
        [USERS[n % USERS.length]],
      );
    }
  };
  const rollUp = async (): Promise<unknown> => {
    try {
      while (!migrated.signal.aborted) {
        rolled += await rollUpAsBefore(roller, "users", 30);
        if (Math.random() < 0.5) rolled += await rollUpAsBefore(roller, "all users", 30);
      }
      return null;
    } catch (error) {
      return error;
    }
  };
  const others = Promise.all([read(), write()]);
  const refusal = rollUp();
  const began = performance.now();
  await migrate(database.orm, NOW);
  const tookMs = performance.now() - began;
  const refused = await refusal;
  await expect.poll(() => answers.now, { timeout: 60_000 }).toBeGreaterThan(40);
  migrated.abort();
  await others;

  console.log(
    `upgraded ${CALLS} calls in ${(tookMs / 1_000).toFixed(1)} s, beside ${answers.before} answers of before, ${answers.now} of after, ${answers.wrong.length} wrong, ${rolled} quarters rolled up`,
  );
  expect(answers.wrong).toEqual([]);
  expect(answers.before).toBeGreaterThan(5);
  expect(rolled).toBeGreaterThan(30);
  expect(refused).toMatchObject({ code: "42883" });
  await expectExact();
}, 1_800_000);

it("goes on where an upgrade was killed, whatever was rolled up and dropped in the meantime", async () => {
  await record("2025-05-01", 3_000);
  await fillAsBefore(client);
  await dropMonth("2025-05");
  const holder = await connect();
  const change = async (id: string, value: number) => {
    await rows(`update model_calls set total_usage = ${value} where id ~ '${id}$'`);
    await record("2025-06-10", 150, `late-${value}-`, 14);
    await rollUpAllAsBefore(client);
  };

  await migrateAndKill("select true from model_call_upgrade");
  await change("7", 11);
  await migrateAndKill("select week > first_week + 3 * 672 from model_call_upgrade");
  await change("8", 12);
  await dropMonth("2025-07");
  await rows("select notice_missing_months()");
  await rows("delete from model_calls where id ~ '9$'");
  await rollUpAllAsBefore(client);
  // Somebody reads for long, so that the tables are not to be had.
  await holder.query("begin; select from model_call_stats limit 1");
  await migrateAndKill(
    "select exists (select from pg_stat_activity where application_name = 'killed' and wait_event_type = 'Lock') from model_call_upgrade where week is null",
  );
  await change("6", 13);
  await holder.query("commit");
  await rows("update model_calls set total_usage = 99 where id ~ '5$'");

  const other = await openDatabase({ url: database.url });
  try {
    const [one, two] = await Promise.all([migrate(database.orm, NOW), migrate(other, NOW)]);
    expect([...one, ...two].filter((name) => name === ADAPTIVE)).toHaveLength(1);
  } finally {
    await other.close();
  }
  await expectExact();
  expect(await rows("select from model_call_frozen_months")).toHaveLength(2);
}, 240_000);

describe("once it is done", () => {
  const old = ["model_call_stats", "model_call_model_stats", "model_call_detail_stats"];

  it("knows what is frozen from the new rollups, however a session writes times", async () => {
    await record("2025-05-01", 1_000);
    await fillAsBefore(client);
    await migrate(database.orm, NOW);
    await dropMonth("2025-05");
    await dropMonth("2025-06");
    for (const [i, settings] of ODD_SESSIONS.entries()) {
      const odd = await openOddly(database.url, settings);
      const run = (sql: string) => odd.em.fork().execute(sql);
      const insert = (user: string, id: string) =>
        run(`insert into model_calls (user_did, id, call_time, provider_id, model, type, status)
          select '${user}', '${id}-${i}', call_time, 'p', 'm', 'custom', 'success' from frozen_call`);
      try {
        await run("select notice_missing_months()");
        // A month that is made again is only for quarters in which a user had nothing.
        await run(
          "drop table if exists frozen_call; create table frozen_call as select quarter_start(min(timestamp)) as call_time from kept_fine where user_did = 'user-9'",
        );
        await run("select ensure_model_calls_partition(call_time) from frozen_call");
        await expect(insert("user-9", "repeated")).rejects.toThrow(
          /were dropped, and what was rolled up of them stays/,
        );
        await insert(`nobody-${i}`, "new");
      } finally {
        await odd.close();
      }
    }
    const frozen = await rows<{ month: string }>(
      "select month::text from model_call_frozen_months order by 1",
    );
    expect(frozen.map(({ month }) => month)).toEqual(["2025-05-01 00:00:00+00", "2025-06-01 00:00:00+00"]);
    expect(await rows("select from model_call_changes")).toHaveLength(ODD_SESSIONS.length);
    // Where there is nothing, nothing is frozen.
    await rows("select ensure_model_calls_partition('2024-01-01 00:00+00')");
    expect(await rows("select from model_call_frozen_months")).toHaveLength(2);
  }, 120_000);

  it("lets whoever had rights on the old rollups go on with the new, and nobody else", async () => {
    const suffix = database.url.slice(-8);
    const [reader, worker, stranger] = ["reader", "worker", "stranger"].map((name) => `${name}_${suffix}`);
    await rows(`create role ${reader}; create role ${worker}; create role ${stranger}`);
    try {
      await rows(`grant select on model_call_stats to ${reader} with grant option`);
      await rows(
        `grant select, insert, update, delete on ${old.join(", ")}, model_call_changes to ${worker}`,
      );
      await migrate(database.orm, NOW);
      const held = await rows<{ role: string; table: string; rights: string }>(
        `select grantee::regrole::text as role, oid::regclass::text as table, string_agg(privilege_type || case when is_grantable then '*' else '' end, ' ' order by privilege_type) as rights
           from pg_class cross join lateral aclexplode(relacl) where grantee::regrole::text ~ '_${suffix}$' and relname <> 'model_call_changes' group by 1, 2 order by 1, 2`,
      );
      const tables = [
        "model_call_combos",
        "model_call_models",
        "model_call_shards",
        "model_call_slices",
        "model_call_stats",
        "model_call_user_days",
        "model_call_users",
      ];
      expect(held).toEqual([
        ...[...tables, "usage_rollups"].map((table) => ({ role: reader, table, rights: "SELECT*" })),
        ...tables.map((table) => ({ role: worker, table, rights: "DELETE INSERT SELECT UPDATE" })),
        { role: worker, table: "usage_rollups", rights: "SELECT" },
      ]);
      await rows(`set role ${worker}`);
      await rows("select from model_call_shards for update");
      await rows("insert into model_call_users (did) values ('by a worker')");
      await rows("reset role");
      await database.orm.migrator.down({ to: BEFORE });
      const [again] = await rows<{ count: string }>(
        `select count(*) from pg_class cross join lateral aclexplode(relacl) where grantee = '${worker}'::regrole and oid::regclass::text = any($1)`,
        [old],
      );
      expect(Number(again!.count)).toBe(12);
    } finally {
      await rows("reset role");
      for (const role of [reader, worker, stranger]) await rows(`drop owned by ${role}; drop role ${role}`);
    }
  }, 60_000);

  it("leaves quarters to their calls whose keys and tags were not rolled up", async () => {
    await record("2025-05-01", 300);
    await rows(`update model_calls set key_id = 'k1' where id ~ '3$'`);
    await rows(`update model_calls set tags = '{"team": "search"}' where id ~ '4$'`);
    await rows("update model_calls set credits = 0 where credits is null");
    await fillAsBefore(client);
    await rows("delete from model_call_changes");
    const quarters =
      "select distinct user_did, quarter_of(call_time) as quarter from model_calls where id ~ '[34]$'";
    expect((await rows(quarters)).length).toBeGreaterThan(20);
    await migrate(database.orm, NOW);
    const changed = await rows("select distinct user_did, quarter from model_call_changes order by 1, 2");
    expect(changed).toEqual(await rows(`${quarters} order by 1, 2`));
  }, 60_000);

  it("leaves quarters that are too large to be added up to their calls", async () => {
    await record("2025-05-01", 300);
    await rows("alter table model_calls drop constraint model_calls_measures_check");
    await rows("update model_calls set input_tokens = 5000000000000000000 where user_did = '{u,v}'");
    // A day's sum is too large for the old rollups, too: only quarters were rolled up.
    await rows("delete from model_call_changes");
    await rows(`insert into model_call_detail_stats
      select user_did, 'quarter', quarter_of(call_time), type, provider_id, model, coalesce(app_did, ''), status,
             1, (status = 'success')::int, (status = 'failed')::int, coalesce(input_tokens, 0), 0, 0, 0, 0, 0, 0, 0, 0
        from model_calls on conflict do nothing`);
    const [of] = await rows<{ quarters: string }>(
      "select count(distinct quarter_of(call_time)) as quarters from model_calls where user_did = '{u,v}'",
    );
    await migrate(database.orm, NOW);
    const changes = await rows<{ user_did: string }>(
      "select distinct user_did, quarter from model_call_changes",
    );
    expect(changes).toHaveLength(Number(of!.quarters));
    expect(changes.length).toBeGreaterThan(10);
    expect(changes.every(({ user_did: user }) => user === "{u,v}")).toBe(true);
    expect(await differences(EXPECTED_ALL, FOUND_ALL)).toEqual([]);
  }, 60_000);

  it("goes back to the same old rollups, with nothing of all users to be done, and up again", async () => {
    await record("2025-05-01", 2_000);
    await fillAsBefore(client);
    await dropMonth("2025-05");
    await rows("update model_calls set total_usage = 5 where id ~ '7$'");
    await rows("select notice_missing_months()");
    for (const table of old) await rows(`create table was_${table} as select * from ${table}`);
    const changes = await rows("select * from model_call_changes where user_did <> '' order by 1, 2");

    await migrate(database.orm, NOW);
    await database.orm.migrator.down({ to: BEFORE });
    for (const table of old) {
      const [size] = await rows<{ count: string }>(`select count(*) from ${table}`);
      expect(Number(size!.count)).toBeGreaterThan(100);
      for (const [one, other] of [
        [table, `was_${table}`],
        [`was_${table}`, table],
      ])
        expect(await rows(`select * from ${one} except all select * from ${other} limit 3`)).toEqual([]);
    }
    expect(await rows("select * from model_call_changes order by 1, 2")).toEqual(changes);
    for (const user of ["", ...USERS]) {
      const [answer] = await rows<{ said: string; expected: string }>(READ_AS_BEFORE, [user]);
      expect(answer!.said).toBe(answer!.expected);
    }
    await rollUpAllAsBefore(client);
    await rows("drop table was_model_call_stats, was_model_call_model_stats, was_model_call_detail_stats");
    await migrate(database.orm, NOW);
    await expectExact();
  }, 120_000);

  it("refuses everything that the version before does to rollups, and changes nothing", async () => {
    await record("2025-05-01", 300);
    await fillAsBefore(client);
    await migrate(database.orm, NOW);
    await rows("update model_calls set total_usage = 5 where id ~ '7$'");
    const before = [
      await rows("select * from model_call_stats order by 1, 2, 3, 4, 5"),
      await rows("select * from model_call_changes order by 1, 2"),
    ];
    await expect(rollUpAsBefore(client, "users")).rejects.toMatchObject({ code: "42883" });
    expect(await rollUpAsBefore(client, "all users")).toBe(0);
    await expect(rows(READ_AS_BEFORE, ["user-1"])).rejects.toMatchObject({ code: "42703" });
    await expect(
      rows("select sum(calls) from model_call_stats where time_type = 'day' and timestamp >= now()"),
    ).rejects.toThrow(/invalid input syntax|operator does not exist/);
    expect([
      await rows("select * from model_call_stats order by 1, 2, 3, 4, 5"),
      await rows("select * from model_call_changes order by 1, 2"),
    ]).toEqual(before);
  }, 60_000);

  it("shows rollups with names, times and every measure", async () => {
    await rows("select ensure_model_calls_partition('2025-05-01 00:00+00')");
    await rows(`insert into model_calls (user_did, id, call_time, provider_id, model, type, status, app_did, input_tokens, output_tokens, total_usage, credits, duration_ms, ttfb_ms)
      values ('u', '1', '2025-05-08 10:20+00', 'p', 'm', 'video', 'success', null, 10, 5, 17, 0.25, null, 30), ('u', '2', '2025-05-08 10:21+00', 'p', 'm', 'video', 'success', null, 1, 1, 2, 0, 400, null)`);
    await fillAsBefore(client);
    await migrate(database.orm, NOW);
    await rows("set timezone = 'Asia/Tokyo'; set datestyle = 'ISO'");
    const shown = await rows(
      "select shown.*, start::text as start, width::text as width, slice = slice_of('u') as own, null as slice from usage_rollups as shown order by user_did, shown.start desc, row_type",
    );
    const fine = {
      user_did: "u",
      own: true,
      slice: null,
      row_type: "fine, of a sparse week",
      start: "2025-05-08 19:15:00+09",
      width: "00:15:00",
      type: "video",
      provider_id: "p",
      model: "m",
      app_did: null,
      status: "success",
      key_id: null,
      tags: null,
      calls: "2",
      success_calls: "2",
      failed_calls: "0",
      processing_calls: "0",
      unpriced_calls: "0",
      input_tokens: "11",
      output_tokens: "6",
      cached_input_tokens: "0",
      cache_write_tokens: "0",
      reasoning_tokens: "0",
      total_usage: "19",
      credits: "0.25000000",
      duration_ms_sum: "400",
      duration_ms_count: "1",
      ttfb_ms_sum: "30",
      ttfb_ms_count: "1",
    };
    const week = {
      ...fine,
      row_type: "by type",
      start: "2025-05-05 09:00:00+09",
      width: "7 days",
      provider_id: null,
      model: null,
      status: null,
    };
    const ofUser = shown.filter((row) => (row as { user_did: string }).user_did === "u");
    expect(ofUser).toEqual([fine, week]);
    // All users: by type an hour, a day and a week, by model and by everything a day and a week.
    expect(shown).toHaveLength(2 + 7);
  }, 60_000);
});
