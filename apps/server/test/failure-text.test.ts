import { createTestDatabase } from "@usage-stats/db/testing";
import { expect, it } from "vitest";
import { failureLine, failureText } from "../src/serve/failure-text.ts";

it("says what the database refused, and nothing of the row", async () => {
  const database = await createTestDatabase();
  const failure: unknown = await database.orm.em
    .fork()
    .execute("insert into api_keys (id) values ('CANARY')")
    .catch((error: unknown) => error);
  await database.close();
  expect(failureLine(failure)).toBe(
    'NotNullConstraintViolationException 23502 null value in column "name" of relation "api_keys" violates not-null constraint',
  );
  expect(failureText(failure)).toMatch(/\n\s+at /);
  expect(failureText(failure)).not.toContain("CANARY");
});

it.each([
  [
    Object.assign(new Error("connect ECONNREFUSED 127.0.0.1:5"), { code: "ECONNREFUSED" }),
    "connect ECONNREFUSED 127.0.0.1:5",
  ],
  [Object.assign(new AggregateError([], ""), { code: "ECONNREFUSED" }), "AggregateError ECONNREFUSED"],
  [new TypeError("fetch failed", { cause: new Error("CANARY") }), "TypeError fetch failed"],
  [new Error("one\ntwo"), "one"],
  [new Error(""), "Error"],
  ["CANARY", "an unknown failure"],
])("is one line: %s", (error, line) => {
  expect(failureLine(error)).toBe(line);
});
