import { setTimeout as sleep } from "node:timers/promises";
import { type CallChange, type ModelCall, type RecordOutcome } from "@usage-stats/core";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createCallWriter, rollUp, verifyRollups } from "../src/index.ts";
import { createTestDatabase, type TestDatabase } from "../src/testing/index.ts";
import { modelCall } from "./model-calls.ts";

// A few calls that many name, and many that few do.
const FEW = 5;
const MANY = 60;
const CLIENTS = 8;

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase({ poolSize: 4 });
});
afterAll(() => database.close());

type Request = { changes: CallChange[]; atomic: boolean; leaves: boolean };
/** What one client sends, one after the other, or all at once; each after a pause in milliseconds. */
type Client = { waits: boolean; requests: { pause: number; request: Request }[] };
type Made = { request: Request; outcome: RecordOutcome[] | "failed" };

const change: fc.Arbitrary<CallChange> = fc
  .record({
    n: fc.oneof(fc.nat(FEW - 1), fc.nat(MANY - 1)),
    kind: fc.constantFrom("call", "call", "call", "call", "processing", "void"),
    version: fc.nat(2),
  })
  .map(({ n, kind, version }) => {
    const call = modelCall({
      id: `call-${n}`,
      userDid: `did:abt:z1user${n % 2}`,
      totalUsage: version,
      status: kind === "processing" ? "processing" : "success",
    });
    const { userDid, id, callTime } = call;
    return kind === "void" ? { userDid, id, callTime, void: true } : call;
  });

// No column of the table holds that many credits.
const bad = modelCall({ id: "bad", credits: "1e30" });

const request: fc.Arbitrary<Request> = fc
  .record({
    changes: fc.array(change, { minLength: 1, maxLength: 4 }),
    isBad: fc.nat(14).map((n) => n === 0),
    atomic: fc.nat(7).map((n) => n === 0),
    leaves: fc.nat(9).map((n) => n === 0),
  })
  .map(({ changes, isBad, ...how }) => ({ changes: isBad ? [...changes, bad] : changes, ...how }));

const client: fc.Arbitrary<Client> = fc.record({
  waits: fc.boolean(),
  requests: fc.array(fc.record({ pause: fc.constantFrom(0, 0, 0, 1, 3), request }), { maxLength: 8 }),
});

type Row = { call: ModelCall; revision: number; voided: boolean };
type Table = Map<string, Row>;

/** What each change does, made one after the other. */
function make(table: Table, changes: readonly CallChange[]): RecordOutcome[] {
  return changes.map((one) => {
    const key = `${one.userDid} ${one.id}`;
    const row = table.get(key);
    if ("void" in one) {
      if (row === undefined) return "unknown";
      if (row.voided) return "repeated";
      table.set(key, { ...row, revision: row.revision + 1, voided: true });
      return "voided";
    }
    if (row === undefined) {
      table.set(key, { call: one, revision: 0, voided: false });
      return "added";
    }
    if (one.totalUsage === row.call.totalUsage && one.status === row.call.status) return "repeated";
    if (row.voided) return "stays_void";
    if (one.status === "processing" && row.call.status !== "processing") return "repeated";
    table.set(key, { ...row, call: one, revision: row.revision + 1 });
    return "corrected";
  });
}

/** Makes a request as a writer that does nothing else does. */
function makeAlone(table: Table, { changes, atomic }: Request): Made["outcome"] {
  const after = new Map(table);
  const outcomes = make(after, changes);
  const isIncomplete = outcomes.some((outcome) => outcome === "unknown" || outcome === "stays_void");
  if (changes.includes(bad) || (atomic && isIncomplete)) return "failed";
  for (const [key, row] of after) table.set(key, row);
  return outcomes;
}

async function kept(): Promise<unknown[]> {
  return database.orm.em.fork().execute(
    `select user_did || ' ' || id as key, total_usage::int as usage, status, revision, voided_at is not null as voided
       from model_calls order by 1`,
  );
}

it("recordings that come at the same time end as if they had come one after the other", async () => {
  let sent = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(client, { minLength: 1, maxLength: CLIENTS }), async (clients) => {
      await database.orm.em.fork().execute("delete from model_calls");
      const callWriter = createCallWriter(database.orm);
      const came: Made[] = [];
      const send = async (one: Request) => {
        const gone = new AbortController();
        const made: Made = { request: one, outcome: "failed" };
        came.push(made);
        const recording = callWriter.record(one.changes, { atomic: one.atomic, signal: gone.signal });
        if (one.leaves) setImmediate(() => gone.abort(new Error("gone")));
        await recording.then(
          (outcomes) => (made.outcome = outcomes),
          () => {},
        );
      };
      await Promise.all(
        clients.map(async ({ waits, requests }) => {
          const under: Promise<void>[] = [];
          for (const { pause, request: next } of requests) {
            if (pause > 0) await sleep(pause);
            under.push(send(next));
            if (waits) await under.at(-1);
          }
          await Promise.all(under);
        }),
      );
      sent += came.length;

      const table: Table = new Map();
      for (const { request: one, outcome } of came) {
        // Who left before it was sent made nothing.
        if (one.leaves && outcome === "failed") continue;
        expect(outcome).toEqual(makeAlone(table, one));
      }
      const rows = [...table].map(([key, { call, revision, voided }]) => ({
        key,
        usage: call.totalUsage,
        status: call.status,
        revision,
        voided,
      }));
      expect(await kept()).toEqual(rows.toSorted((a, b) => (a.key < b.key ? -1 : 1)));
    }),
    { numRuns: 60 },
  );
  expect(sent).toBeGreaterThan(500);
  await rollUp(database.orm);
  expect((await verifyRollups(database.orm)).differences).toEqual([]);
}, 120_000);
