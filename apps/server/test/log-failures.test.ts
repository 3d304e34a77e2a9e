import { openDatabase, rollUp } from "@usage-stats/db";
import { expect, it } from "vitest";
import { logFailuresOf } from "../src/serve/log-failures.ts";

function logged(error: unknown): string {
  const lines: string[] = [];
  logFailuresOf("rolling up", (text) => lines.push(text))(error);
  return lines.join("\n");
}

it("is one line for a database that is not there", async () => {
  const orm = await openDatabase({ url: "postgresql://u:secret@127.0.0.1:9/usage" });
  const error: unknown = await rollUp(orm).catch((failure: unknown) => failure);
  await orm.close();
  expect(logged(error)).toMatch(/^rolling up failed: [^\n]*ECONNREFUSED[^\n]*\. It is tried again\.$/);
  expect(logged(error)).not.toContain("secret");
});

it("has the stack of what nobody foresaw, and nothing else of it", () => {
  const error = Object.assign(new TypeError("x is not a function"), { query: "select 'did:abt:z1alice'" });
  expect(logged(error)).toMatch(/^rolling up failed: TypeError: x is not a function\n\s+at /);
  expect(logged(error)).not.toContain("alice");
});

it("leaves out the statement that MikroORM puts before a message", () => {
  const cause = Object.assign(new Error("division by zero"), { code: "22012" });
  const error = new Error("select 'did:abt:z1alice' / 0 - division by zero", { cause });
  expect(logged(error)).toMatch(/^rolling up failed: Error: division by zero \(22012\)\n/);
  expect(logged(error)).not.toContain("alice");
});
