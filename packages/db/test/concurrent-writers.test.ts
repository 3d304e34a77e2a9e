import { type CallChange, type ModelCall, type RecordOutcome } from "@usage-stats/core";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createCallWriter, openDatabase, rollUp, verifyRollups } from "../src/index.ts";
import { createTestDatabase, type TestDatabase } from "../src/testing/index.ts";
import { modelCall } from "./model-calls.ts";

const WRITERS = 8;
const CALLS = 60;
const BATCHES_EACH = 25;
let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase({ poolSize: WRITERS });
});
afterAll(() => database.close());

const random = fc.sample(fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), 20_000);
let drawn = 0;
const chance = () => random[(drawn += 1) % random.length]!;
const pick = (n: number) => Math.floor(chance() * n);

/** The nth call in one of its versions; every writer knows the same calls. */
function version(n: number, revision: number): ModelCall {
  return modelCall({
    id: `call-${n}`,
    userDid: `did:abt:z1user${n % 5}`,
    callTime: new Date(Date.parse("2025-06-20T10:00:00Z") + n * 240_000),
    totalUsage: revision,
  });
}

/** Overlapping, shuffled, with repeats, corrections and voids, some of the same call twice. */
function batch(): CallChange[] {
  return Array.from({ length: 1 + pick(30) }, () => {
    const call = version(pick(CALLS), pick(4));
    if (chance() > 0.03) return call;
    const { userDid, id, callTime } = call;
    return { userDid, id, callTime, void: true };
  });
}

it("eight writers of overlapping batches never deadlock, and leave what writing one after the other does", async () => {
  const orm = await openDatabase({ url: database.url, poolSize: WRITERS });
  const told = new Map<string, { change: CallChange; outcome: RecordOutcome }[]>();
  try {
    await Promise.all(
      Array.from({ length: WRITERS }, async () => {
        const callWriter = createCallWriter(orm);
        for (let i = 0; i < BATCHES_EACH; i += 1) {
          const changes = batch();
          const outcomes = await callWriter.record(changes);
          changes.forEach((change, at) => {
            const all = told.get(change.id) ?? [];
            told.set(change.id, [...all, { change, outcome: outcomes[at]! }]);
          });
        }
      }),
    );
    const rows = await orm.em
      .fork()
      .execute<{ id: string; total_usage: string; revision: number; voided: boolean }[]>(
        "select id, total_usage, revision, voided_at is not null as voided from model_calls",
      );
    const kept = new Map(rows.map((row) => [row.id, row]));
    for (const [id, all] of told) {
      const count = (outcome: RecordOutcome) => all.filter((one) => one.outcome === outcome).length;
      const row = kept.get(id);
      // Whatever order they came in: one of them added it, each correction is one revision, and at most one voided it.
      expect([count("added"), count("voided")]).toEqual([
        row === undefined ? 0 : 1,
        row?.voided === true ? 1 : 0,
      ]);
      if (row === undefined) continue;
      expect(row.revision).toBe(count("corrected") + count("voided"));
      if (!row.voided) expect(count("stays_void")).toBe(0);
      const versions = all.flatMap(({ change, outcome }) =>
        "totalUsage" in change && (outcome === "added" || outcome === "corrected") ? [change.totalUsage] : [],
      );
      expect(versions).toContain(Number(row.total_usage));
    }
    await rollUp(orm);
    expect((await verifyRollups(orm)).differences).toEqual([]);
    const [sums] = await orm.em
      .fork()
      .execute<{ calls: string; usage: string }[]>(
        "select sum(calls) as calls, sum(total_usage) as usage from usage_rollups where user_did = '' and row_type ~ 'type' and width = interval '1 day'",
      );
    const counted = rows.filter((row) => !row.voided);
    expect(Number(sums!.calls)).toBe(counted.length);
    expect(Number(sums!.usage)).toBe(counted.reduce((sum, row) => sum + Number(row.total_usage), 0));
  } finally {
    await orm.close();
  }
}, 120_000);
