import { afterAll, beforeAll, expect, it } from "vitest";
import { createCallWriter } from "../src/index.ts";
import { createTestDatabase, type TestDatabase } from "../src/testing/index.ts";
import { modelCall } from "./model-calls.ts";

const CALLS = 15_000;
const BATCH = 5_000;

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase({ poolSize: 1 });
});
afterAll(() => database.close());

/** How many entries of indexes on calls were read so far. */
async function entriesRead(): Promise<number> {
  const em = database.orm.em.fork();
  await em.execute("select pg_stat_force_next_flush()");
  const [row] = await em.execute<{ read: string }[]>(
    "select coalesce(sum(idx_tup_read), 0) as read from pg_stat_user_indexes where relname like 'model\\_calls\\_%'",
  );
  return Number(row!.read);
}

const batches = Array.from({ length: CALLS / BATCH }, (_, batch) =>
  Array.from({ length: BATCH }, (__, i) => modelCall({ id: `job-${batch * BATCH + i}` })),
);

it("repeats calls at one instant without reading through all others at that instant", async () => {
  const callWriter = createCallWriter(database.orm);
  for (const batch of batches) {
    const started = performance.now();
    expect(new Set(await callWriter.record(batch))).toEqual(new Set(["added"]));
    if (process.env["TIMES"]) console.log("added", Math.round(performance.now() - started), "ms");
  }
  // Both with the statistics of an empty table and with true ones: either may tempt the planner.
  for (const statistics of ["none", "fresh"]) {
    if (statistics === "fresh") await database.orm.em.fork().execute("analyze model_calls");
    for (const [at, batch] of batches.entries()) {
      const before = await entriesRead();
      const started = performance.now();
      expect(new Set(await callWriter.record(batch))).toEqual(new Set(["repeated"]));
      if (process.env["TIMES"]) console.log("repeated", at, Math.round(performance.now() - started), "ms");
      expect((await entriesRead()) - before).toBeLessThan(10 * BATCH);
    }
  }
});
