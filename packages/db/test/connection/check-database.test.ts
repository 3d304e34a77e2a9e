import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { checkDatabase, explainFailure, migrate, openDatabase } from "../../src/index.ts";
import { createTestDatabase, type TestDatabase } from "../../src/testing/index.ts";

let database: TestDatabase;
const role = `app_${randomUUID().slice(0, 8)}`;
const latin = `latin_${randomUUID().slice(0, 8)}`;

beforeAll(async () => {
  database = await createTestDatabase({ from: "empty" });
  await run(`create role ${role} login password 'x'`);
});
afterAll(async () => {
  await run(`drop owned by ${role}`);
  await run(`drop role ${role}`);
  await run(`drop database if exists ${latin}`);
  await database.close();
});

const run = (sql: string) => database.orm.em.fork().execute(sql);
const changed = (change: (url: URL) => void) => {
  const url = new URL(database.url);
  change(url);
  return url.href;
};
const asRole = () => changed((url) => ((url.username = role), (url.password = "x")));

it("refuses a database that cannot hold every script", async () => {
  await run(`create database ${latin} template template0 encoding 'LATIN1' locale 'C'`);
  await expect(checkDatabase(changed((url) => (url.pathname = `/${latin}`)))).rejects.toThrow(
    `"${latin}" on ${new URL(inject("postgresUrl")).host} is encoded in LATIN1`,
  );
});

it("refuses a search path that leads nowhere", async () => {
  const url = changed(({ searchParams }) => searchParams.set("options", "-csearch_path=nowhere"));
  await expect(checkDatabase(url)).rejects.toThrow(/search path \(nowhere\) .* leads to no schema/);
});

it("refuses a role whose changes no trigger would see", async () => {
  await run(`alter role ${role} set session_replication_role = replica`);
  await expect(checkDatabase(asRole())).rejects.toThrow(/session_replication_role is replica/);
  await run(`alter role ${role} reset session_replication_role`);
});

it("tells a role that may not create tables what its owner has to run", async () => {
  const orm = await openDatabase({ url: asRole() });
  try {
    await expect(migrate(orm, new Date())).rejects.toThrow(
      new RegExp(
        `"${role}" may not create tables in schema "public" .* run: GRANT CREATE ON SCHEMA public TO ${role}$`,
      ),
    );
    await run(`grant create on schema public to ${role}`);
    expect((await migrate(orm, new Date())).length).toBeGreaterThan(1);
  } finally {
    await orm.close();
  }
});

it("refuses a server that takes no writes where target_session_attrs asks for one that does", async () => {
  await run(`alter role ${role} set default_transaction_read_only = on`);
  await expect(checkDatabase(asRole())).resolves.toMatchObject({ schema: "public" });
  await expect(checkDatabase(`${asRole()}?target_session_attrs=read-write`)).rejects.toThrow(
    /takes no writes/,
  );
  await run(`alter role ${role} reset default_transaction_read_only`);
});

it("leaves every other failure to be told as it is", () => {
  const wrong = Object.assign(new Error("column x does not exist"), { severity: "ERROR", code: "42703" });
  expect(explainFailure(wrong, database.url)).toBeNull();
  expect(explainFailure(new TypeError("x is not a function"), database.url)).toBeNull();
  expect(explainFailure(new Error("initdb failed"), database.url)).toBeNull();
  expect(explainFailure("text", database.url)).toBeNull();
});
