import { UsageStatsError } from "@usage-stats/core";
import { createTestDatabase, type TestDatabase } from "@usage-stats/db/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describeFailure, framesOf } from "../../src/failures/describe-failure.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

const failureOf = (sql: string, parameters: unknown[] = []) =>
  database.orm.em
    .fork()
    .execute(sql, parameters)
    .then(
      () => new Error("did not fail"),
      (error: unknown) => error,
    );

describe("what a database says", () => {
  it.each([
    ["select pg_sleep(9)", "SQLSTATE 57014 canceling statement due to statement timeout"],
    ["select * from nowhere", 'SQLSTATE 42P01 relation "nowhere" does not exist'],
    ["set transaction read only; create table x ()", /^SQLSTATE 25006 cannot execute CREATE TABLE/],
  ])("of itself is told: %s", async (sql, said) => {
    const failure = await failureOf(`set statement_timeout = 100; ${sql}`);
    expect(describeFailure(failure)).toEqual(typeof said === "string" ? said : expect.stringMatching(said));
  });

  it.each([
    ["select 'did:hunter2'::bigint", "SQLSTATE 22P02 invalid input syntax for type bigint…"],
    [`select '{"a": hunter2 "b"}'::json`, "SQLSTATE 22P02 invalid input syntax for type json"],
    ["select '[hunter2'::int4range", "SQLSTATE 22P02 malformed range literal…"],
    [
      "select 'hunter2'::timestamptz",
      "SQLSTATE 22007 invalid input syntax for type timestamp with time zone…",
    ],
    [
      "select convert_from('\\xff68756e746572'::bytea, 'UTF8')",
      "SQLSTATE 22021 invalid byte sequence for encoding…",
    ],
    ["select '99999999999999999'::int", "SQLSTATE 22003 value…"],
    ["select 4242424242424242::int", "SQLSTATE 22003 integer out of range"],
    ["do $$ begin raise 'hunter2 was here'; end $$", "SQLSTATE P0001"],
    [
      "create table passwords (word text primary key); insert into passwords values ('hunter2'), ('hunter2')",
      /^SQLSTATE 23505 duplicate key value violates unique constraint… \(table passwords, constraint \w+\)$/,
    ],
    ["insert into model_calls (id) values ('hunter2')", /^SQLSTATE 23\d{3} [a-z ]+… \(table \w+\)$/],
  ])("never tells what a statement held: %s", async (sql, said) => {
    const told = describeFailure(await failureOf(sql));
    expect(told).toEqual(typeof said === "string" ? said : expect.stringMatching(said));
    expect(told).not.toMatch(/hunter|4242|9999/);
  });

  it("is found below what it was made of", async () => {
    const cause = await failureOf("select * from nowhere");
    const refusal = new UsageStatsError("unavailable", "Try again.", { cause: new Error("x", { cause }) });
    expect(describeFailure(refusal)).toBe('SQLSTATE 42P01 relation "nowhere" does not exist');
  });
});

describe("what else fails", () => {
  const unavailable = (cause?: unknown) =>
    new UsageStatsError("unavailable", "Too much is running.", cause === undefined ? {} : { cause });
  const refused = (message: string, code: string) => Object.assign(new Error(message), { code });

  it.each([
    [unavailable(), "Too much is running."],
    [
      unavailable(new Error("Connection terminated unexpectedly")),
      "Error: Connection terminated unexpectedly",
    ],
    [unavailable(new SyntaxError('"hunter2" is not valid JSON')), "SyntaxError: …"],
    [
      unavailable(refused("connect ECONNREFUSED 127.0.0.1:1", "ECONNREFUSED")),
      "connect ECONNREFUSED 127.0.0.1:1",
    ],
    [
      Object.assign(new AggregateError([refused("connect ECONNREFUSED ::1:1", "ECONNREFUSED")]), {
        code: "ECONNREFUSED",
      }),
      "connect ECONNREFUSED ::1:1",
    ],
    [new Error("hunter2"), "Error"],
    [new TypeError('Headers.set: "hunter2" is wrong'), "TypeError: Headers.set…"],
    ["hunter2", "something was thrown that is no error"],
  ])("%s is told as %j", (error, told) => {
    expect(describeFailure(error)).toBe(told);
  });

  it("ends, also where an error is its own cause", () => {
    const error = new Error("x");
    error.cause = error;
    expect(describeFailure(error)).toBe("Error");
  });

  it("stays one line, whatever is in it", () => {
    const refusal = new UsageStatsError("unavailable", "a\r\nrequest 1: 500\u2028b\u001b[2J\u0085c");
    expect(describeFailure(refusal)).toBe("a\\u000d\\u000arequest 1: 500\\u2028b\\u001b[2J\\u0085c");
  });

  it("tells where it was thrown, but nothing of its message, even where that looks like a stack", () => {
    const frames = framesOf(new Error("hunter2\n    at hunter2 (file:///hunter2.ts:1:1)"));
    expect(frames.length).toBeGreaterThan(1);
    expect(frames[0]).toContain("describe-failure.test.ts");
    expect(frames.join("\n")).not.toContain("hunter2");
  });
});
