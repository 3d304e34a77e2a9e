import { afterEach, expect, it } from "vitest";
import { createApiKeyStore, isMigrated, migrate, openDatabase, type Database } from "../../src/index.ts";
import { createTestDatabase, type TestDatabase } from "../../src/testing/index.ts";

let database: TestDatabase | undefined;
const open: Database[] = [];

afterEach(async () => {
  for (const orm of open.splice(0)) await orm.close();
  await database?.close();
  database = undefined;
});

const now = new Date("2026-11-25T12:00:00Z");

async function opened(url: string): Promise<Database> {
  const orm = await openDatabase({ url, poolSize: 2 });
  open.push(orm);
  return orm;
}

async function shown(orm: Database, names: string[]): Promise<Record<string, string>> {
  const [row] = await orm.em
    .fork()
    .execute<Record<string, string>[]>(
      `select ${names.map((name) => `current_setting('${name}') as "${name}"`).join(", ")}`,
    );
  return row!;
}

async function alter(settings: Record<string, string>): Promise<string> {
  database ??= await createTestDatabase({ from: "empty" });
  const name = new URL(database.url).pathname.slice(1);
  for (const [setting, value] of Object.entries(settings))
    await database.orm.em.execute(`alter database ${name} set ${setting} = ${value}`);
  return database.url;
}

it("means the same whatever the database's defaults are", async () => {
  const url = await alter({
    datestyle: "'German, DMY'",
    intervalstyle: "'sql_standard'",
    timezone: "'Asia/Kolkata'",
    extra_float_digits: "-3",
    bytea_output: "'escape'",
    array_nulls: "off",
    default_transaction_isolation: "'serializable'",
    statement_timeout: "30",
    lock_timeout: "30",
    idle_in_transaction_session_timeout: "30",
    transaction_timeout: "100",
  });
  const orm = await opened(url);
  expect(
    await shown(orm, ["datestyle", "intervalstyle", "timezone", "extra_float_digits", "bytea_output"]),
  ).toEqual({
    datestyle: "ISO, YMD",
    intervalstyle: "postgres",
    timezone: "UTC",
    extra_float_digits: "1",
    bytea_output: "hex",
  });
  expect((await migrate(orm, now)).length).toBeGreaterThan(1);
});

it.each([
  ["off", "on"],
  ["local", "on"],
  ["on", "on"],
  ["remote_write", "remote_write"],
  ["remote_apply", "remote_apply"],
])("waits for the disk where synchronous_commit is %s: %s", async (set, found) => {
  const orm = await opened(await alter({ synchronous_commit: set }));
  expect(await shown(orm, ["synchronous_commit"])).toEqual({ synchronous_commit: found });
});

it("leaves to the operator whether the database takes writes", async () => {
  const orm = await opened(await alter({ default_transaction_read_only: "on" }));
  expect(await shown(orm, ["transaction_read_only"])).toEqual({ transaction_read_only: "on" });
});

it("does as the parameter `options` says, beside what it sets itself", async () => {
  const url = await alter({});
  expect(await shown(await opened(url), ["random_page_cost"])).toEqual({ random_page_cost: "1.1" });
  expect(await shown(await opened(`${url}?options=-crandom_page_cost%3D3`), ["random_page_cost"])).toEqual({
    random_page_cost: "3",
  });
  const orm = await opened(`${url}?options=-cwork_mem%3D8MB%20-cmy.own%3Dyes&application_name=shop`);
  expect(await shown(orm, ["work_mem", "my.own", "jit", "application_name"])).toEqual({
    work_mem: "8MB",
    "my.own": "yes",
    jit: "off",
    application_name: "shop",
  });
});

it("refuses `options` that the server does not take", async () => {
  const url = await alter({});
  for (const [options, reason] of [
    ["-cnonsense%3D1", /options \(nonsense\) cannot be set: unrecognized/],
    ["-cwork_mem%3Dlots", /options \(work_mem\) cannot be set: invalid value/],
    ["-cshared_buffers%3D8MB", /options \(shared_buffers\) cannot be set: .*cannot be changed/],
  ] as const)
    await expect(openDatabase({ url: `${url}?options=${options}` })).rejects.toThrow(reason);
});

it("pays no heed to node-pg's own variables", async () => {
  const url = await alter({});
  const variables = {
    PGOPTIONS: "-cwork_mem=1MB",
    PGSSLMODE: "require",
    PGPASSWORD: "x",
    PGHOST: "nowhere",
    PGAPPNAME: "x",
  };
  const before = { ...process.env };
  Object.assign(process.env, variables);
  try {
    const orm = await opened(url);
    expect(await shown(orm, ["work_mem", "application_name"])).toEqual({
      work_mem: "64MB",
      application_name: "usage-stats",
    });
  } finally {
    for (const name of Object.keys(variables)) delete process.env[name];
    Object.assign(process.env, before);
  }
});

it("works in a schema named after the role, started again and again, with nothing to migrate", async () => {
  const url = new URL(await alter({}));
  const role = `solo_${url.pathname.slice(-8)}`;
  await database!.orm.em.execute(
    `create role ${role} login password 'x'; create schema ${role} authorization ${role}`,
  );
  url.username = role;
  url.password = "x";
  const first = await opened(url.href);
  expect((await migrate(first, now)).length).toBeGreaterThan(1);
  const second = await opened(url.href);
  expect(await migrate(second, now)).toEqual([]);
  expect(await isMigrated(second)).toBe(true);
  expect(await second.migrator.checkSchema()).toBe(false);
  await first.close();
  await second.close();
  open.length = 0;
  await database!.orm.em.execute(`drop owned by ${role}; drop role ${role}`);
});

it("works in the schema that options=-csearch_path names, and in two schemas of one database", async () => {
  const url = await alter({});
  await database!.orm.em.execute("create schema usage; create schema other");
  for (const schema of ["usage", "other"]) {
    const orm = await opened(`${url}?options=-csearch_path%3D${schema}`);
    expect((await migrate(orm, now)).length).toBeGreaterThan(1);
    const again = await opened(`${url}?options=-csearch_path%3D${schema}`);
    expect(await migrate(again, now)).toEqual([]);
    expect(await again.migrator.checkSchema()).toBe(false);
    expect(await createApiKeyStore(again).list()).toEqual([]);
  }
  const tables = await database!.orm.em.execute<{ schema: string; n: number }[]>(
    `select schemaname as schema, count(*)::int as n from pg_tables
      where tablename in ('model_calls', 'api_keys', 'mikro_orm_migrations') group by 1 order by 1`,
  );
  expect(tables).toEqual([
    { schema: "other", n: 3 },
    { schema: "usage", n: 3 },
  ]);
});

it("stays in the schema that it was installed in when another comes before it on the search path", async () => {
  const url = await alter({});
  const first = await opened(url);
  await migrate(first, now);
  await database!.orm.em.execute("create schema early");
  await alter({ search_path: "early, public" });
  const second = await opened(url);
  expect(await migrate(second, now)).toEqual([]);
  expect(await second.migrator.checkSchema()).toBe(false);
  expect(await shown(second, ["search_path"])).toEqual({ search_path: '"public", early, public' });
  await second.em.fork().execute("select ensure_model_calls_partition('2020-01-01')");
  expect(
    await database!.orm.em.execute(
      "select schemaname from pg_tables where tablename = 'model_calls_2020_01'",
    ),
  ).toEqual([{ schemaname: "public" }]);
});
