import { type AggregateQuery, type GroupDimension, type UsageFilter } from "@usage-stats/core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { sessionOf, type Statement } from "../src/connection/session.ts";
import { createCallWriter, rollUp } from "../src/index.ts";
import { STORED_LIST, SUMMED_STORED } from "../src/layout/stored-measures.ts";
import { readRolledUpUsage } from "../src/reading/read-rolled-up-usage.ts";
import { createTestDatabase, readRawUsage, type TestDatabase } from "../src/testing/index.ts";
import { modelCall } from "./model-calls.ts";

const START = Date.UTC(2025, 5, 10);
const HOUR = 3_600_000;
const CALLS = Array.from({ length: 600 }, (_, i) =>
  modelCall({
    id: `c-${i}`,
    userDid: `did:abt:z1user${i % 3}`,
    appDid: i % 4 === 0 ? null : `app-${i % 4}`,
    model: `model-${i % 5}`,
    status: i % 7 === 0 ? "failed" : "success",
    callTime: new Date(START + i * (HOUR / 6)),
  }),
);

let database: TestDatabase;
const run = <Row>(text: string) => database.orm.em.fork().execute<Row[]>(text);
const execute = <Row>({ text, values }: Statement) =>
  sessionOf(database.orm.em.fork()).execute<Row>({ text, values });

/** Gives all users together fine rows of their own on a day, as a roller does where users have very many. */
const makeDense = (day: string) =>
  run(`
    insert into model_call_stats (user_id, time_type, slice, timestamp, item, type, model_id, ${STORED_LIST})
    select 0, 2, slice, timestamp, coalesce(keyless_id, item), fine.type, fine.model_id, ${SUMMED_STORED}
      from model_call_stats as fine join model_call_combos as combos on combos.id = item
     where user_id <> 0 and time_type in (0, 1, 2) and day_start(timestamp) = quarter_number('${day}')
     group by slice, timestamp, coalesce(keyless_id, item), fine.type, fine.model_id`);

/** Has the users' fine rows name combinations with a key, of which all users together know nothing. */
async function giveKeys(): Promise<void> {
  await run(`
    insert into model_call_combos (model_id, app_did, status, key_id, keyless_id)
    select model_id, app_did, status, 'key', id from model_call_combos where key_id is null`);
  await run(`
    update model_call_stats as stats set item = combos.id from model_call_combos as combos
     where combos.keyless_id = item and user_id <> 0 and time_type in (0, 1, 2)`);
}

beforeAll(async () => {
  database = await createTestDatabase();
  await createCallWriter(database.orm).record(CALLS);
  await rollUp(database.orm);
});
afterAll(() => database.close());

const at = (hours: number) => new Date(START + hours * HOUR);
const groupings: GroupDimension[][] = [[], ["app"], ["model", "status"], ["type"]];
const filters: UsageFilter[] = [{}, { status: ["failed"] }, { models: ["model-1"] }];

/** Days that begin a quarter past four, so that each takes quarters and hours of two. */
const DAYS = [4.25, 28.25, 52.25, 76.25].map(at);

/** Some quarters, which no coarser row covers. */
const QUARTERS = [4.25, 4.5, 4.75, 5, 5.25].map(at);

async function expectExact(): Promise<void> {
  await Promise.all([expectExactIn(DAYS), expectExactIn(QUARTERS)]);
}

async function expectExactIn(edges: Date[]): Promise<void> {
  for (const settled of [true, false])
    for (const groupBy of groupings)
      for (const filter of filters) {
        const query: AggregateQuery = {
          userDid: null,
          range: { from: edges[0]!, to: edges.at(-1)! },
          previous: { from: at(-67.75), to: edges[0]! },
          settled,
          edges,
          groupBy,
          filter,
          rankBy: "calls",
          topN: 2,
        };
        const fast = await readRolledUpUsage(execute, query);
        const raw = await readRawUsage(execute, query);
        expect(sorted(fast)).toEqual(sorted(raw));
      }
}

/** What is added up, in one order. */
function sorted({ sums, models, groups, groupSeries }: Awaited<ReturnType<typeof readRawUsage>>): string[][] {
  return [sums, models, groups, groupSeries].map((rows) => rows.map((row) => JSON.stringify(row)).toSorted());
}

it("answers from the users' fine rows where all users together have none, from their own where they have, and from both", async () => {
  await expectExact();
  await makeDense("2025-06-11");
  await expectExact();
  // What changes is taken away from them user by user.
  await createCallWriter(database.orm).record([modelCall({ ...CALLS[150]!, id: "late" })]);
  await expectExact();
  await rollUp(database.orm);
  await expectExact();
});

it("finds the groups of rows with keys, which all users together do not have", async () => {
  await giveKeys();
  await expectExact();
  await createCallWriter(database.orm).record([modelCall({ ...CALLS[300]!, id: "later" })]);
  await expectExact();
});
