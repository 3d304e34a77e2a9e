import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { isEmpty, openDatabase, recordAllCalls } from "../src/index.ts";
import { createTestDatabase, type TestDatabase } from "../src/testing/index.ts";
import { modelCall } from "./model-calls.ts";

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});
beforeEach(() => database.orm.em.fork().execute("delete from model_calls"));
afterAll(() => database.close());

const calls = Array.from({ length: 25 }, (_, i) =>
  modelCall({ id: `call-${i}`, callTime: new Date(Date.UTC(2009, i)) }),
);

describe("recording all calls of a list at once", () => {
  it("makes their partitions, and tells how far it is", async () => {
    const told: number[] = [];
    expect(await recordAllCalls(database.orm, calls, (recorded) => told.push(recorded), 10)).toBe(25);
    expect(told).toEqual([10, 20, 25]);
    expect(await isEmpty(database.orm)).toBe(false);
    const [changes] = await database.orm.em
      .fork()
      .execute<{ count: number }[]>(
        "select count(distinct quarter)::int as count from model_call_changes where quarter < '2012-01-01'",
      );
    expect(changes).toEqual({ count: 25 });
  });

  it("shows nothing before everything is in", async () => {
    const looks: Promise<boolean>[] = [];
    await recordAllCalls(database.orm, calls, () => void looks.push(isEmpty(database.orm)), 1);
    expect(await looks[0]).toBe(true);
    expect(await isEmpty(database.orm)).toBe(false);
    await Promise.all(looks);
  });

  it("undoes everything where anything fails: the calls, the writing, or whoever is told", async () => {
    function* breaking() {
      yield* calls;
      throw new Error("no more");
    }
    await expect(recordAllCalls(database.orm, breaking(), undefined, 10)).rejects.toThrow("no more");
    await expect(
      recordAllCalls(database.orm, [...calls, modelCall({ credits: "1e30" })], undefined, 10),
    ).rejects.toThrow(/overflow/);
    const refuse = () => {
      throw new Error("stopped");
    };
    await expect(recordAllCalls(database.orm, calls, refuse, 10)).rejects.toThrow("stopped");
    expect(await isEmpty(database.orm)).toBe(true);
  });

  it("needs but one connection", async () => {
    const narrow = await openDatabase({ url: database.url, poolSize: 1 });
    try {
      // A pool checks itself on its first use, on a connection besides.
      expect(await isEmpty(narrow)).toBe(true);
      expect(await recordAllCalls(narrow, calls)).toBe(25);
    } finally {
      await narrow.close();
    }
  });
});
