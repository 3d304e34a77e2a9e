import {
  getUsageRanking,
  type ModelCall,
  type RankedAggregateQuery,
  type RankingRepository,
  type UsageFilter,
  type UsageRanking,
  type UsageRankingQuery,
} from "@usage-stats/core";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sessionOf, type Statement } from "../src/connection/session.ts";
import { createCallWriter, createRankingRepository, rollUp } from "../src/index.ts";
import { type Reach } from "../src/reading/ask-threshold.ts";
import { readWholeRanking } from "../src/reading/read-ranking.ts";
import { readRankingByThreshold } from "../src/reading/read-ranking-by-threshold.ts";
import { createTestDatabase, readRawRanking, type TestDatabase } from "../src/testing/index.ts";
import { modelCall } from "./model-calls.ts";

const QUARTER = 900_000;
const DAY = 86_400_000;
/** A Monday. */
const START = Date.UTC(2025, 5, 2);
const TYPES = ["chatCompletion", "embedding"] as const;

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

/** Calls of some users on four weeks, a few of them with very many; equal sums are usual. */
const calls = (ids: string): fc.Arbitrary<ModelCall[]> =>
  fc
    .array(
      fc.record({
        user: fc.oneof(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 30 })),
        day: fc.integer({ min: 0, max: 27 }),
        quarter: fc.constantFrom(0, 17, 18, 72, 95),
        ms: fc.constantFrom(0, 1, 400_000, QUARTER - 1),
        type: fc.constantFrom(...TYPES),
        amount: fc.constantFrom(null, 0, 1, 1, 5, 400),
        times: fc.oneof(fc.constant(1), fc.constant(1), fc.constant(20)),
      }),
      { minLength: 10, maxLength: 60 },
    )
    .map((some) =>
      some.flatMap(({ user, day, quarter, ms, type, amount, times }, i) =>
        Array.from({ length: times }, (_, time) =>
          modelCall({
            id: `${ids}-${i}-${time}`,
            userDid: `did:abt:z${user}`,
            type,
            callTime: new Date(START + day * DAY + quarter * QUARTER + ms),
            credits: amount === null ? null : `${amount}.5`,
            totalUsage: amount,
            inputTokens: amount,
            outputTokens: 0,
          }),
        ),
      ),
    );

/** Weeks; days; days of other zones; and what begins and ends anywhere. */
const range = fc
  .tuple(
    fc.constantFrom(7 * DAY, DAY, QUARTER * 18, QUARTER, 1_234),
    fc.integer({ min: 0, max: 3_000 }),
    fc.integer({ min: 0, max: 3_000 }),
  )
  .map(([width, one, other]) => {
    const places = Math.floor((28 * DAY) / width);
    const [from, to] = [one % places, other % places].toSorted((a, b) => a - b) as [number, number];
    return { from: new Date(START + from * width), to: new Date(START + (to + 1) * width) };
  });

const question: fc.Arbitrary<UsageRankingQuery> = fc
  .record({
    range,
    orderBy: fc.constantFrom("calls" as const, "credits" as const, "totalUsage" as const),
    limit: fc.integer({ min: 1, max: 4 }),
    filter: fc.constantFrom<UsageFilter>({}, {}, { types: ["embedding"] }),
  })
  .map(({ range: { from, to }, ...rest }) => ({
    from,
    to,
    ...rest,
    by: "user",
    direction: "desc",
    search: null,
  }));

const reach: fc.Arbitrary<Reach> = fc.record({
  depth: fc.integer({ min: 1, max: 12 }),
  candidates: fc.integer({ min: 1, max: 20 }),
  named: fc.constantFrom(0, 2, 40),
});

/** Every page of a ranking. */
async function pages(repository: RankingRepository, input: UsageRankingQuery): Promise<UsageRanking[]> {
  const all: UsageRanking[] = [];
  let cursor: string | null = null;
  do {
    const asked: UsageRankingQuery = cursor === null ? input : { ...input, cursor };
    const { ranking } = await getUsageRanking({ repository, now: input.to }, asked);
    all.push(ranking);
    cursor = ranking.nextCursor;
  } while (cursor !== null);
  return all;
}

/** What a page says, besides what it was made of, and how many zeros its cursor has. */
const answered = ({ items, totals, matched, nextCursor }: UsageRanking) => ({
  items,
  totals,
  matched,
  isLast: nextCursor === null,
});

const run = (text: string) => database.orm.em.fork().execute(text);

async function empty(): Promise<void> {
  await run("delete from model_calls");
  await run("truncate model_call_changes, model_call_stats, model_call_user_days");
}

it("gives every page as adding up everybody does, and as their calls do, however little it looks at", async () => {
  const found = { pages: 0, right: 0, full: 0 };
  const cases = fc.record({
    early: calls("early"),
    late: fc.oneof(fc.constant<ModelCall[]>([]), calls("late")),
    voided: fc.integer({ min: 0, max: 3 }),
    questions: fc.array(fc.tuple(question, reach), { minLength: 12, maxLength: 12 }),
  });
  await fc.assert(
    fc.asyncProperty(cases, async ({ early, late, voided, questions }) => {
      await empty();
      const writer = createCallWriter(database.orm);
      await writer.record(early);
      await rollUp(database.orm);
      await writer.record(late);
      if (voided > 0)
        await run(`update model_calls set voided_at = now() where hashtext(id || user_did) % 7 = ${voided}`);
      const whole = createRankingRepository(database.orm, readWholeRanking);
      const raw = createRankingRepository(database.orm, readRawRanking);
      for (const [input, within] of questions) {
        const byThreshold = createRankingRepository(database.orm, async (statement, query, collation) => {
          const ranking = await readRankingByThreshold(statement, query, [within]);
          found.pages += 1;
          if (ranking !== null) found.right += 1;
          if (ranking !== null && ranking.items.length === query.limit) found.full += 1;
          return ranking ?? readWholeRanking(statement, query, collation);
        });
        const expected = await pages(whole, input);
        expect(await pages(byThreshold, input)).toEqual(expected);
        expect(expected.map(answered)).toEqual((await pages(raw, input)).map(answered));
      }
    }),
    { numRuns: 20, endOnFailure: true },
  );
  // Both ways out are taken, often.
  expect(found.full).toBeGreaterThan(found.pages / 20);
  expect(found.pages - found.right).toBeGreaterThan(found.pages / 20);
}, 300_000);

describe("a page of one", () => {
  /** Who had how many calls on the Monday that is asked about, and on the day after. */
  async function use(rows: [userDid: string, monday: number, tuesday: number][]): Promise<void> {
    await empty();
    await createCallWriter(database.orm).record(
      rows.flatMap(([userDid, ...days]) =>
        days.flatMap((times, day) =>
          Array.from({ length: times }, (_, i) =>
            modelCall({ id: `${day}-${i}`, userDid, callTime: new Date(START + day * DAY) }),
          ),
        ),
      ),
    );
    await rollUp(database.orm);
  }

  const query: RankedAggregateQuery = {
    range: { from: new Date(START), to: new Date(START + DAY) },
    settled: true,
    by: "user",
    filter: {},
    orderBy: "calls",
    direction: "desc",
    search: null,
    limit: 1,
    after: null,
  };
  const statements = <Row>({ text, values }: Statement) =>
    sessionOf(database.orm.em.fork()).execute<Row>({ text, values });

  async function first(depth: number, candidates: number): Promise<string | null> {
    const ranking = await readRankingByThreshold(statements, query, [{ depth, candidates, named: 10 }]);
    return ranking === null ? null : ranking.items[0]!.key[0];
  }

  it("is not known where somebody who is not looked at may be equal, and come first by name", async () => {
    await use([
      ["did:abt:zz", 1, 2],
      ["did:abt:za", 1, 0],
    ]);
    expect(await first(2, 10)).toBeNull();
    expect(await first(3, 10)).toBe("did:abt:za");
  });

  it("is not known where a candidate who is not looked at may have more", async () => {
    await use([
      ["did:abt:z1", 2, 3],
      ["did:abt:z2", 4, 0],
      ["did:abt:z3", 1, 0],
    ]);
    expect(await first(3, 1)).toBeNull();
    expect(await first(3, 2)).toBe("did:abt:z2");
  });
});
