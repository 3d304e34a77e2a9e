import { ANY_ORIGIN, type CallPageQuery } from "@usage-stats/core";
import { afterAll, beforeAll, expect, it } from "vitest";
import sql from "sql-template-tag";
import { sessionOf } from "../src/connection/session.ts";
import { callsSql } from "../src/listing/call-reader.ts";
import { createTestDatabase, type TestDatabase } from "../src/testing/index.ts";

const START = new Date("2025-06-01T00:00:00Z");
let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
  const em = database.orm.em.fork();
  for (const month of ["2025-06-01", "2025-07-01"])
    await em.execute("select ensure_model_calls_partition(?::timestamptz)", [month]);
  // Two months of a user with 40,000 calls, among others'.
  await em.execute(
    `insert into model_calls (user_did, id, call_time, provider_id, model, type, status, run_id, conversation_id)
     select case when i % 2 = 0 then 'heavy' else 'other' || i % 50 end, i::text, ?::timestamptz + i * interval '1 minute',
            'p', 'm' || i % 5, 'custom', 'success',
            case when i % 3 = 0 then 'run' || i / 60 end, case when i % 9 = 0 then 'talk' || i / 200 end from generate_series(0, 79999) i`,
    [START],
  );
  await em.execute("vacuum analyze model_calls");
});
afterAll(() => database.close());

const query = (change: Partial<CallPageQuery> = {}): CallPageQuery => ({
  userDid: "heavy",
  range: { from: START, to: new Date("2025-08-01T00:00:00Z") },
  filter: {},
  origin: ANY_ORIGIN,
  search: null,
  minDurationMs: null,
  withVoided: true,
  limit: 51,
  after: null,
  ...change,
});

type Plan = {
  "Node Type": string;
  "Actual Rows": number;
  "Rows Removed by Filter"?: number;
  "Index Name"?: string;
  Plans?: Plan[];
};

async function scansOf(asked: CallPageQuery): Promise<Plan[]> {
  const [row] = await sessionOf(database.orm.em.fork()).execute<{ "QUERY PLAN": { Plan: Plan }[] }>(
    sql`explain (analyze, format json) ${callsSql(asked)}`,
  );
  const leaves = (plan: Plan): Plan[] => plan.Plans?.flatMap(leaves) ?? [plan];
  return leaves(row!["QUERY PLAN"][0]!.Plan);
}

it.each([
  ["the first page", {}],
  [
    "a page in the middle",
    { after: { callTime: new Date("2025-06-20T00:00:00Z"), id: "1", userDid: "heavy" } },
  ],
  ["a filter that one in five matches", { filter: { models: ["m1"] } }],
])("%s reads little more than it gives, along the user's index", async (_, change) => {
  const scans = await scansOf(query(change));
  const read = scans.reduce(
    (sum, scan) => sum + scan["Actual Rows"] + (scan["Rows Removed by Filter"] ?? 0),
    0,
  );
  expect(read).toBeLessThan(51 * 5 * 2);
  expect(scans.map((scan) => scan["Node Type"])).not.toContain("Seq Scan");
  for (const scan of scans.filter((one) => one["Actual Rows"] > 0))
    expect(scan["Index Name"]).toMatch(/model_calls_2025_0\d_pkey/);
});

it.each([
  ["run", "run700", 10],
  ["conversation", "talk300", 11],
])("a %s is read by its own index, and nothing else", async (what, name, calls) => {
  const origin = { ...ANY_ORIGIN, [`${what}Id`]: name };
  const scans = await scansOf(query({ origin }));
  expect(scans.reduce((sum, scan) => sum + scan["Actual Rows"], 0)).toBe(calls);
  expect(scans.reduce((sum, scan) => sum + (scan["Rows Removed by Filter"] ?? 0), 0)).toBe(0);
  for (const scan of scans) expect(scan["Index Name"]).toMatch(new RegExp(`user_did_${what}_id_idx$`));
});
