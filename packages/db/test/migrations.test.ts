import { afterEach, expect, it } from "vitest";
import { EXPECTED_INDEXES, isMigrated, migrate, openDatabase } from "../src/index.ts";
import { createTestDatabase, type TestDatabase } from "../src/testing/index.ts";

const now = new Date("2026-01-31T23:59:59Z");
let database: TestDatabase;

afterEach(() => database.close());

async function tables({ orm }: TestDatabase): Promise<string[]> {
  const rows = await orm.em.fork().execute<{ name: string }[]>(
    `select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
        and relname <> 'mikro_orm_migrations' order by 1`,
  );
  return rows.map(({ name }) => name);
}

it("go up, down to nothing and up again, and match the entities", async () => {
  database = await createTestDatabase({ from: "empty" });
  const { orm } = database;
  const applied = await migrate(orm, now);
  expect(applied.length).toBeGreaterThan(1);
  expect(await orm.migrator.checkSchema()).toBe(false);
  const first = await tables(database);

  await orm.migrator.down({ to: 0 });
  expect(await tables(database)).toEqual([]);
  expect(await isMigrated(orm)).toBe(false);

  expect(await migrate(orm, now)).toEqual(applied);
  expect(await tables(database)).toEqual(first);
  expect(await orm.migrator.checkSchema()).toBe(false);
});

it("run once when two processes migrate at once", async () => {
  database = await createTestDatabase({ from: "empty" });
  const other = await openDatabase({ url: database.url });
  try {
    const [one, two] = await Promise.all([migrate(database.orm, now), migrate(other, now)]);
    expect(Math.min(one.length, two.length)).toBe(0);
    expect(one.length + two.length).toBeGreaterThan(1);
    expect(await isMigrated(other)).toBe(true);
  } finally {
    await other.close();
  }
});

it("make this month's partition and the next three, across the turn of a year", async () => {
  database = await createTestDatabase({ from: "empty" });
  await migrate(database.orm, new Date("2025-11-30T12:00:00Z"));
  expect((await tables(database)).filter((name) => /^model_calls_\d/.test(name))).toEqual([
    "model_calls_2025_11",
    "model_calls_2025_12",
    "model_calls_2026_01",
    "model_calls_2026_02",
  ]);
});

it("leave exactly the expected indexes", async () => {
  database = await createTestDatabase();
  const rows = await database.orm.em.fork().execute<{ name: string; definition: string }[]>(
    `select i.relname as name, pg_get_indexdef(i.oid) as definition
       from pg_index x join pg_class i on i.oid = x.indexrelid join pg_class t on t.oid = x.indrelid
      where t.relnamespace = 'public'::regnamespace and not t.relispartition and t.relname <> 'mikro_orm_migrations'
        and x.indisvalid`,
  );
  const live = Object.fromEntries(
    rows.map(({ name, definition }) => [
      name,
      `${definition.startsWith("CREATE UNIQUE") ? "UNIQUE " : ""}${definition.replace(/^.* USING /, "")}`,
    ]),
  );
  expect(live).toEqual(EXPECTED_INDEXES);
});
