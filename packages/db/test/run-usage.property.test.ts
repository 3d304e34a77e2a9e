import { getRunUsage, type ModelCall, type RunUsageQuery, type UsageFilter } from "@usage-stats/core";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { sessionOf } from "../src/connection/session.ts";
import { createCallWriter, createRunReader } from "../src/index.ts";
import { runsSql } from "../src/runs/runs-sql.ts";
import { createTestDatabase, type TestDatabase } from "../src/testing/index.ts";
import sql from "sql-template-tag";
import { matches, sums } from "./brute-force.ts";
import { modelCall } from "./model-calls.ts";

const USER = "did:abt:z1a";
let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});
beforeEach(() => run("delete from model_calls"));
afterAll(() => database.close());

function run(statement: string): Promise<Record<string, unknown>[]> {
  return database.orm.em.fork().execute(statement);
}

const ask = async (query: RunUsageQuery) => (await getRunUsage(createRunReader(database.orm), query)).usage;

const name = fc.option(fc.constantFrom("r0", "r1", "r2", "r3", "r4", "r5"), { nil: null });
const calls = fc
  .array(
    fc.record({
      userDid: fc.constantFrom(USER, USER, USER, "did:abt:z1b"),
      appDid: fc.constantFrom("one", "two", null),
      runId: name,
      parentRunId: name,
      conversationId: fc.constantFrom("talk", "other", null),
      status: fc.constantFrom("success" as const, "failed" as const, "processing" as const),
      callTime: fc.integer({ min: 0, max: 90 * 86_400_000 }).map((ms) => new Date(Date.UTC(2025, 4, 1) + ms)),
      credits: fc.constantFrom("0.00000001", "1.10000000", "0.33333333"),
      inputTokens: fc.option(fc.nat(100), { nil: null }),
      durationMs: fc.option(fc.nat(100), { nil: null }),
      isVoid: fc.boolean(),
    }),
    { maxLength: 30, size: "max" },
  )
  .map((all) =>
    all.map(({ isVoid, ...change }, i) => ({ isVoid, call: modelCall({ id: `${i}`, ...change }) })),
  );

/** All runs below one, each once, by following what calls say. */
function treeOf(root: string, all: ModelCall[]): Set<string> {
  const tree = new Set([root]);
  for (const one of tree)
    for (const { runId, parentRunId } of all) if (parentRunId === one && runId !== null) tree.add(runId);
  return tree;
}

const byStart = (one: ModelCall, other: ModelCall) =>
  one.callTime.getTime() - other.callTime.getTime() || (one.id < other.id ? -1 : 1);

/** What a run, or the calls that name none, is told apart by. */
const runOf = ({ runId, parentRunId }: Pick<ModelCall, "runId" | "parentRunId">) =>
  JSON.stringify(runId === null ? [null, parentRunId] : [runId]);

it("adds up a run with all that it began, and a conversation, as following calls one by one does, circles or not", async () => {
  const seen = { circles: 0, nameless: 0, deep: 0 };
  await fc.assert(
    fc.asyncProperty(
      calls,
      fc.constantFrom<UsageFilter>({}, {}, { appDids: ["one"] }),
      async (all, filter) => {
        await run("delete from model_calls");
        const writer = createCallWriter(database.orm);
        await writer.record(all.map(({ call }) => call));
        const voided = all.filter(({ isVoid }) => isVoid);
        await writer.record(
          voided.map(({ call: { userDid, id, callTime } }) => ({ userDid, id, callTime, void: true })),
        );
        const mine = all
          .filter(({ isVoid, call }) => !isVoid && call.userDid === USER && matches(call, { filter }))
          .map(({ call }) => call)
          .toSorted(byStart);
        const tree = treeOf("r0", mine);
        const of = { runId: "r0" } as const;
        for (const [asked, own] of [
          [of, mine.filter(({ runId, parentRunId }) => tree.has(runId ?? parentRunId ?? ""))],
          [{ conversationId: "talk" }, mine.filter(({ conversationId }) => conversationId === "talk")],
        ] as const) {
          const { totals, runs } = await ask({ userDid: USER, filter, of: asked });
          expect(totals).toEqual(sums([...own]));
          const groups = Map.groupBy(own, runOf);
          if (asked === of && !groups.has('["r0"]')) groups.set('["r0"]', []);
          expect(new Map(runs.map((one) => [runOf(one), one.metrics]))).toEqual(
            new Map([...groups].map(([key, group]) => [key, sums(group)])),
          );
          for (const one of runs)
            expect(one.parentRunId).toBe(
              groups.get(runOf(one))!.find(({ parentRunId }) => parentRunId !== null)?.parentRunId ?? null,
            );
          if (asked === of) expect(runs[0]!.runId).toBe("r0");
        }
        if (
          mine.some(
            ({ runId, parentRunId }) => runId === "r0" && parentRunId !== null && tree.has(parentRunId),
          )
        )
          seen.circles += 1;
        if (mine.some(({ runId, parentRunId }) => runId === null && tree.has(parentRunId ?? "")))
          seen.nameless += 1;
        if (tree.size > 2) seen.deep += 1;
      },
    ),
    { numRuns: Number(process.env["LONG"] ?? 120) },
  );
  for (const times of Object.values(seen)) expect(times).toBeGreaterThan(5);
});

/** A chain of runs, each of which began the next. */
async function recordChain(length: number): Promise<void> {
  await run("select ensure_model_calls_partition('2025-06-01')");
  await run(`insert into model_calls (user_did, id, call_time, provider_id, model, type, status, run_id, parent_run_id, conversation_id)
    select '${USER}', i::text, timestamptz '2025-06-01 00:00+00' + i * interval '1 second', 'p', 'm', 'custom', 'success',
           'r' || i, case when i > 0 then 'r' || i - 1 end, 'talk' from generate_series(0, ${length - 1}) i`);
}

it("answers for a thousand runs, however deep, and never for a part of more", async () => {
  await recordChain(1_000);
  expect(await ask({ userDid: USER, filter: {}, of: { runId: "r0" } })).toMatchObject({
    totals: { calls: 1_000 },
    runs: expect.objectContaining({ length: 1_000 }) as unknown,
  });
  expect((await ask({ userDid: USER, filter: {}, of: { conversationId: "talk" } })).runs).toHaveLength(1_000);
  await run(`insert into model_calls (user_did, id, call_time, provider_id, model, type, status, run_id, parent_run_id, conversation_id)
    values ('${USER}', 'last', '2025-06-02', 'p', 'm', 'custom', 'success', 'last', 'r999', 'talk')`);
  for (const of of [{ runId: "r0" }, { conversationId: "talk" }])
    await expect(ask({ userDid: USER, filter: {}, of })).rejects.toMatchObject({
      code: "number_too_large",
      field: Object.keys(of)[0],
      limit: "1,000 runs",
    });
  expect((await ask({ userDid: USER, filter: {}, of: { runId: "r1" } })).totals.calls).toBe(1_000);
});

it("reads no calls but those of the run and of what it began, by their indexes, among many of the user's", async () => {
  await run("select ensure_model_calls_partition('2025-06-01')");
  await run(`insert into model_calls (user_did, id, call_time, provider_id, model, type, status, run_id, parent_run_id, conversation_id)
    select '${USER}', i::text, timestamptz '2025-06-01 00:00+00' + i * interval '1 minute', 'p', 'm', 'custom', 'success',
           'r' || i / 4, case when i / 4 % 10 > 0 then 'r' || i / 40 * 10 end, 'talk' || i / 100 from generate_series(0, 39999) i`);
  await run("vacuum analyze model_calls");
  for (const of of [{ runId: "r500" }, { conversationId: "talk7" }]) {
    const asked = { userDid: USER, filter: {}, of, most: 1_000 };
    const rows = await sessionOf(database.orm.em.fork()).execute<{ "QUERY PLAN": string }>(
      sql`explain (analyze) ${runsSql(asked)}`,
    );
    const scans = rows
      .map((row) => row["QUERY PLAN"])
      .filter((line) => /Scan.* model_calls_2025_06/.test(line));
    expect(scans.length).toBeGreaterThan(0);
    for (const scan of scans) expect(scan).toMatch(/user_did_(run_id|parent_run_id|conversation_id)_idx/);
    const { totals } = await ask(asked);
    expect(totals.calls).toBe("runId" in of ? 40 : 100);
  }
});
