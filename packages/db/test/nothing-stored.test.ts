import { type AggregateQuery } from "@usage-stats/core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { sessionOf, type Statement } from "../src/connection/session.ts";
import { createCallWriter, rollUp } from "../src/index.ts";
import { readRolledUpUsage } from "../src/reading/read-rolled-up-usage.ts";
import { createTestDatabase, readRawUsage, type TestDatabase } from "../src/testing/index.ts";
import { modelCall } from "./model-calls.ts";

const DAY = 86_400_000;
const query: AggregateQuery = {
  userDid: "did:abt:z1new",
  range: { from: new Date("2025-06-10T00:07:00Z"), to: new Date("2025-06-20T00:00:00Z") },
  previous: { from: new Date("2025-05-31T00:14:00Z"), to: new Date("2025-06-10T00:07:00Z") },
  settled: false,
  edges: [
    new Date("2025-06-10T00:07:00Z"),
    new Date("2025-06-13T00:00:00Z"),
    new Date("2025-06-20T00:00:00Z"),
  ],
  groupBy: ["app"],
  filter: {},
  rankBy: "calls",
  topN: 5,
};
const CALLS = Array.from({ length: 500 }, (_, i) =>
  modelCall({
    id: `c-${i}`,
    userDid: query.userDid!,
    appDid: `app-${i % 3}`,
    callTime: new Date(Date.UTC(2025, 4, 30) + i * (DAY / 20)),
  }),
);

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
  await createCallWriter(database.orm).record(CALLS);
});
afterAll(() => database.close());

const execute = <Row>({ text, values }: Statement) =>
  sessionOf(database.orm.em.fork()).execute<Row>({ text, values });

type Node = { "Relation Name"?: string; "Actual Loops": number; Plans?: Node[] };

/** How often calls were looked up for an answer, in whichever partition. */
async function lookUps(): Promise<number> {
  let count = 0;
  const visit = (node: Node) => {
    if (node["Relation Name"]?.startsWith("model_calls_") === true) count += node["Actual Loops"];
    node.Plans?.forEach(visit);
  };
  await readRolledUpUsage(async <Row>(statement: Statement) => {
    const [row] = await execute<{ "QUERY PLAN": { Plan: Node }[] }>({
      ...statement,
      text: `explain (analyze, format json) ${statement.text}`,
    });
    visit(row!["QUERY PLAN"][0]!.Plan);
    return [] as Row[];
  }, query);
  return count;
}

async function expectExact(): Promise<void> {
  const [{ source: _, ...fast }, { source: __, ...raw }] = await Promise.all([
    readRolledUpUsage(execute, query),
    readRawUsage(execute, query),
  ]);
  expect(fast.groups).toHaveLength(3);
  expect({ ...fast, liveFrom: null }).toEqual({ ...raw, liveFrom: null });
}

it("reads the calls of a user of whom nothing is rolled up period by period", async () => {
  await expectExact();
  expect(await lookUps()).toBeLessThanOrEqual(4);
});

it("reads them quarter by quarter where anything was rolled up, if only before or at an end", async () => {
  const writer = createCallWriter(database.orm);
  await rollUp(database.orm);
  await expectExact();
  // The quarters that stay rolled up are outside, in, or partly in the periods.
  for (const calls of [CALLS.slice(0, 20), CALLS.slice(100), CALLS.slice(25, 100), CALLS.slice(20, 25)]) {
    await writer.record(calls.map((call) => ({ ...call, id: `${call.id}-late` })));
    await expectExact();
  }
  expect(await lookUps()).toBeGreaterThan(100);
});

it("counts what was rolled up of the period before, whose calls are gone, where nothing of the range is", async () => {
  const { orm } = database;
  const writer = createCallWriter(orm);
  const userDid = "did:abt:z1gone";
  const at = (day: string, id: string) => modelCall({ userDid, id, callTime: new Date(`${day}T10:00:00Z`) });
  await writer.record([at("2024-03-20", "a"), at("2024-03-21", "b")]);
  await rollUp(orm);
  await orm.em.fork().execute("drop table model_calls_2024_03");
  await writer.record([at("2024-04-03", "c")]);
  const { sums } = await readRolledUpUsage(execute, {
    ...query,
    userDid,
    range: { from: new Date("2024-04-01T00:00:00Z"), to: new Date("2024-04-15T00:00:00Z") },
    previous: { from: new Date("2024-03-18T00:00:00Z"), to: new Date("2024-04-01T00:00:00Z") },
    edges: [],
    groupBy: [],
  });
  expect(sums.map(({ period, measures }) => [period, measures.calls])).toEqual([
    ["previous", 2],
    ["current", 1],
  ]);
});
