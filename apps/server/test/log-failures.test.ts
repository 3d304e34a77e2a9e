import { openDatabase, rollUp } from "@usage-stats/db";
import { createTestDatabase } from "@usage-stats/db/testing";
import { startTestPostgres } from "@usage-stats/postgres";
import { expect, it } from "vitest";
import { logFailuresOf } from "../src/serve/log-failures.ts";

function logged(error: unknown): string {
  const lines: string[] = [];
  logFailuresOf("rolling up", (text) => lines.push(text))(error);
  return lines.join("\n");
}

const failureOf = (work: Promise<unknown>) =>
  work.then(
    () => null,
    (error: unknown) => error,
  );

it("is one line for a database that is not there, or no longer", async () => {
  const absent = await failureOf(openDatabase({ url: "postgresql://u:secret@127.0.0.1:9/usage" }));
  expect(logged(absent)).toMatch(/^rolling up failed: [^\n]*ECONNREFUSED[^\n]*$/);
  expect(logged(absent)).not.toContain("secret");

  const server = await startTestPostgres();
  const orm = await openDatabase({ url: server.url });
  await server.stop();
  const gone = await failureOf(rollUp(orm));
  await orm.close();
  expect(logged(gone)).toMatch(/^rolling up failed: [^\n]+\. It is tried again\.$/);
}, 30_000);

it("has the stack of what nobody foresaw, and nothing else of it", () => {
  const error = Object.assign(new TypeError("x is not a function"), { query: "select 'did:abt:z1alice'" });
  expect(logged(error)).toMatch(/^rolling up failed: TypeError: x is not a function\n\s+at /);
  expect(logged(error)).not.toContain("alice");
});

it("leaves out the statement that MikroORM puts before a message", async () => {
  const database = await createTestDatabase();
  const error = await failureOf(database.orm.em.fork().execute("select length('did:abt:z1alice') / 0"));
  await database.close();
  expect(logged(error)).toMatch(/^rolling up failed: \w+: division by zero \(22012\)\n\s+at /);
  expect(logged(error)).not.toContain("alice");
});
