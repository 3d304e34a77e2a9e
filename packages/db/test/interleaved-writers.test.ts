import { type EntityManager } from "@mikro-orm/postgresql";
import { type CallChange, type CallWriter, type ModelCall } from "@usage-stats/core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type SqlSession, sessionOf, type Statement } from "../src/connection/session.ts";
import { createCallWriter, openDatabase } from "../src/index.ts";
import { createTestDatabase, type TestDatabase } from "../src/testing/index.ts";
import { inTransaction } from "../src/transaction.ts";
import { writeChanges } from "../src/writing/write-changes.ts";
import { modelCall } from "./model-calls.ts";

const WRITERS = 8;

let database: TestDatabase;
let other: CallWriter;

beforeAll(async () => {
  database = await createTestDatabase({ poolSize: WRITERS });
});
beforeEach(async () => {
  await database.orm.em.fork().execute("delete from model_calls");
  other = createCallWriter(database.orm);
});
afterAll(() => database.close());

const voided = ({ userDid, id, callTime }: ModelCall) => ({ userDid, id, callTime, void: true as const });

/** Runs something after the nth statement of a writer, before it goes on. */
function between(em: EntityManager, n: number, run: () => Promise<unknown>): SqlSession {
  const session = sessionOf(em);
  let statements = 0;
  return {
    async execute<Row>(statement: Statement) {
      const rows = await session.execute<Row>(statement);
      statements += 1;
      if (statements === n) await run();
      return rows;
    },
  };
}

describe("a writer that others come between", () => {
  it("says corrected of what it did correct, though the call was corrected again and voided since", async () => {
    const call = modelCall();
    await other.record([call]);
    const changes = [{ ...call, totalUsage: 1 }, modelCall({ id: "same" })];
    await other.record([changes[1]!]);
    const session = between(database.orm.em.fork(), 1, () =>
      other.record([{ ...call, totalUsage: 2 }, voided(call)]),
    );
    expect(await writeChanges(session, changes)).toEqual(["corrected", "repeated"]);
  });

  it.each([1, 2])(
    "never says repeated of a void whose call came after its statement %i, and counts",
    async (n) => {
      const call = modelCall();
      const outcome = await inTransaction(database.orm, { isolationLevel: "read committed" }, async (em) =>
        writeChanges(
          between(em, n, () => other.record([call])),
          [voided(call)],
        ),
      );
      expect(outcome).toEqual(["unknown"]);
      expect(await kept()).toMatchObject([{ voided: false }]);
    },
  );

  it("brings no void call back, beside another that it voids", async () => {
    const [gone, call] = [modelCall({ id: "gone" }), modelCall({ id: "call" })];
    await other.record([gone, call, voided(gone)]);
    expect(await other.record([{ ...gone, model: "other" }, voided(call), gone, voided(gone)])).toEqual([
      "stays_void",
      "voided",
      "repeated",
      "repeated",
    ]);
    expect(await kept()).toEqual([
      { id: "call", model: call.model, revision: 1, voided: true },
      { id: "gone", model: gone.model, revision: 1, voided: true },
    ]);
  });

  it("voids a call once, though another voids it at the same time", async () => {
    const call = modelCall();
    await other.record([call]);
    const first = database.orm.em.fork();
    await first.begin();
    expect(await writeChanges(sessionOf(first), [voided(call)])).toEqual(["voided"]);
    const second = other.record([voided(call)]);
    await expect.poll(waiting).toBe(1);
    await first.commit();
    expect(await second).toEqual(["repeated"]);
    expect(await kept()).toMatchObject([{ revision: 1, voided: true }]);
  });

  it("keeps what a call was corrected to while its void waited", async () => {
    const call = modelCall();
    await other.record([call]);
    const corrector = database.orm.em.fork();
    await corrector.begin();
    await writeChanges(sessionOf(corrector), [{ ...call, model: "corrected" }]);
    const voiding = other.record([voided(call), modelCall({ id: "new" })]);
    await expect.poll(waiting).toBe(1);
    await corrector.commit();
    expect(await voiding).toEqual(["voided", "added"]);
    expect(await kept()).toMatchObject([
      { id: call.id, model: "corrected", revision: 2, voided: true },
      { id: "new" },
    ]);
  });
});

function kept(): Promise<{ id: string; model: string; revision: number; voided: boolean }[]> {
  return database.orm.em
    .fork()
    .execute("select id, model, revision, voided_at is not null as voided from model_calls order by id");
}

/** How many statements wait for another's lock. */
async function waiting(): Promise<number> {
  const [row] = await database.orm.em
    .fork()
    .execute<{ count: string }[]>(
      "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
    );
  return Number(row!.count);
}

it("eight writers of new calls and voids never wait for each other in a circle, without being tried again", async () => {
  const orm = await openDatabase({ url: database.url, poolSize: WRITERS });
  const numbered = (n: number) => modelCall({ id: `call-${String(n).padStart(5, "0")}` });
  try {
    for (let round = 0; round < 25; round += 1) {
      const known = Array.from({ length: 40 }, (_, i) => numbered(round * 100 + 2 * i));
      const fresh = Array.from({ length: 40 }, (_, i) => numbered(round * 100 + 2 * i + 1));
      await other.record(known);
      const written = Array.from({ length: WRITERS }, (_, writer) => {
        const corrected = known
          .filter((__, i) => i % 5 === 1)
          .map((call) => ({ ...call, totalUsage: writer }));
        const gone = known.filter((__, i) => i % 5 === 0).map(voided);
        const changes: CallChange[] = [...fresh, ...corrected, ...(writer % 2 === 0 ? gone : [])];
        if (writer % 3 === 0) changes.reverse();
        return inTransaction(orm, { isolationLevel: "read committed" }, (em) =>
          writeChanges(sessionOf(em), changes),
        );
      });
      const settled = await Promise.allSettled(written);
      expect(settled.filter(({ status }) => status === "rejected")).toEqual([]);
      const outcomes = settled.flatMap((one) => (one.status === "fulfilled" ? one.value : []));
      expect(outcomes.filter((outcome) => outcome === "added")).toHaveLength(40);
      expect(outcomes.filter((outcome) => outcome === "voided")).toHaveLength(8);
    }
  } finally {
    await orm.close();
  }
}, 60_000);
