import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createCallWriter, type Database, openDatabase, rollUp, verifyRollups } from "../src/index.ts";
import { readRolledUpUsage } from "../src/reading/read-rolled-up-usage.ts";
import { sessionOf } from "../src/connection/session.ts";
import { inTransaction } from "../src/transaction.ts";
import { createTestDatabase, type TestDatabase, readRawUsage } from "../src/testing/index.ts";
import { modelCall } from "./model-calls.ts";

const SECONDS = process.env["LONG"] ? 60 : 6;
const USERS = ["did:abt:z1a", "did:abt:z1b", "did:abt:z1c"];
const start = Date.UTC(2025, 5, 1);

let database: TestDatabase;
let writers: Database;

beforeAll(async () => {
  database = await createTestDatabase({ poolSize: 12 });
  writers = await openDatabase({ url: database.url, poolSize: 12 });
});
afterAll(async () => {
  await writers.close();
  await database.close();
});

it(
  "never lets a reader see a bucket twice or miss one, with 8 writers, 2 workers and 4 readers at once",
  async () => {
    const end = Date.now() + SECONDS * 1000;
    let [written, rolled, read] = [0, 0, 0];

    async function write(seed: number): Promise<void> {
      const callWriter = createCallWriter(writers);
      for (let n = 0; Date.now() < end; n += 1) {
        const calls = Array.from({ length: 20 }, (_, i) => {
          const place = (seed * 7919 + n * 104_729 + i * 1_299_709) % 2000;
          return modelCall({
            id: `call-${place}`,
            userDid: USERS[place % 3]!,
            callTime: new Date(start + place * 300_000),
            totalUsage: (n * 31 + i) % 1000,
            status: n % 4 === 0 ? "failed" : "success",
          });
        });
        await callWriter.record(calls);
        if (n % 10 === 0)
          await writers.em
            .fork()
            .execute("delete from model_calls where id = ?", [`call-${(seed + n) % 2000}`]);
        written += calls.length;
      }
    }

    async function work(): Promise<void> {
      while (Date.now() < end) {
        rolled += await rollUp(database.orm, { batchSize: 50 });
        await sleep(5);
      }
    }

    async function readBothWays(userDid: string | null): Promise<void> {
      while (Date.now() < end) {
        const [rollup, raw] = await inTransaction(
          database.orm,
          { isolationLevel: "repeatable read", readOnly: true },
          async (em) => {
            const { execute } = sessionOf(em);
            const range = { from: new Date(start + 1), to: new Date(start + 7 * 86_400_000) };
            const asked = {
              userDid,
              range,
              previous: null,
              settled: true,
              edges: [range.from, new Date(start + 86_400_000), range.to],
              groupBy: ["app" as const],
              filter: {},
              rankBy: "calls" as const,
              topN: 5,
            };
            return [await readRolledUpUsage(execute, asked), await readRawUsage(execute, asked)];
          },
        );
        const how = { liveFrom: null, source: null };
        expect({ ...rollup, ...how }).toEqual({ ...raw, ...how });
        read += 1;
      }
    }

    await Promise.all([
      ...Array.from({ length: 8 }, (_, i) => write(i)),
      work(),
      work(),
      ...[...USERS, null].map(readBothWays),
    ]);
    expect(Math.min(written, rolled, read)).toBeGreaterThan(20);
    await rollUp(database.orm);
    expect((await verifyRollups(database.orm)).differences).toEqual([]);
  },
  SECONDS * 1000 + 60_000,
);
