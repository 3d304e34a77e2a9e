import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isEmpty } from "@usage-stats/db";
import { createTestDatabase, type TestDatabase } from "@usage-stats/db/testing";
import { loadDemo } from "../../src/demo/load-demo.ts";

const now = new Date("2026-03-05T09:20:00Z");

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

describe("loading the demo", () => {
  it("leaves nothing behind where it is stopped", async () => {
    const stopping = loadDemo(database.orm, now, (loaded) => {
      if (loaded >= 10_000) throw new Error("stopped");
    });
    await expect(stopping).rejects.toThrow("stopped");
    expect(await isEmpty(database.orm)).toBe(true);
  });

  it("writes all of it, and tells how far it is", { timeout: 120_000 }, async () => {
    const told: number[] = [];
    await loadDemo(database.orm, now, (loaded, total) => {
      expect(total).toBe(200_000);
      if (loaded % 20_000 === 0) told.push(loaded);
    });
    expect(told).toEqual(Array.from({ length: 10 }, (_, i) => (i + 1) * 20_000));
    const [row] = await database.orm.em
      .fork()
      .execute<{ calls: number; users: number }[]>(
        "select count(*)::int as calls, count(distinct user_did)::int as users from model_calls",
      );
    expect(row).toEqual({ calls: 200_000, users: 50 });
  });
});
