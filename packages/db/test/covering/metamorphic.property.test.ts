import {
  type AggregateQuery,
  CALL_STATUSES,
  CALL_TYPES,
  getUsageStats,
  type Measures,
  type ModelCall,
  sumMeasures,
  type TimeRange,
  type UsageStatsQuery,
} from "@usage-stats/core";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createCallWriter, createUsageRepository, rollUp } from "../../src/index.ts";
import { createTestDatabase, type TestDatabase } from "../../src/testing/index.ts";
import { callsNear, questionNear, scene, USERS, withoutKeys } from "../arbitrary-usage.ts";
import { comparable } from "../brute-force.ts";

const RUNS = 25 * Math.max(1, Number(process.env["LONG"] ?? 1));
const HOUR = 3_600_000;

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

const recordAnew = async (batches: ModelCall[][], rolled: boolean) => {
  await database.orm.em.fork().execute("delete from model_calls");
  const writer = createCallWriter(database.orm);
  for (const batch of batches) {
    await writer.record(batch);
    if (rolled) await rollUp(database.orm);
  }
};

type Sums = { all: Measures; models: Record<string, Measures>; groups: Record<string, Measures> };

/** What calls add up to: all, by model, and by the groups asked for. */
async function sumsOf(
  query: Pick<AggregateQuery, "userDid" | "filter" | "groupBy" | "rankBy">,
  range: TimeRange,
): Promise<Sums> {
  const aggregates = await createUsageRepository(database.orm).read({
    ...query,
    range,
    previous: null,
    settled: true,
    edges: [],
    topN: 3,
  });
  const byKey = <Item extends { measures: Measures }>(rows: Item[], keyOf: (row: Item) => unknown) =>
    Object.fromEntries(rows.map((row) => [JSON.stringify(keyOf(row)), row.measures]));
  return {
    all: sumMeasures(aggregates.sums.map(({ measures }) => measures)),
    models: byKey(aggregates.models, ({ providerId, model }) => [providerId, model]),
    groups: byKey(aggregates.groups, ({ key }) => query.groupBy.map((dimension) => key[dimension])),
  };
}

function added(parts: Sums[]): Sums {
  const byKey = (all: Record<string, Measures>[]) => {
    const entries = Map.groupBy(all.flatMap(Object.entries<Measures>), ([key]) => key);
    return Object.fromEntries(
      [...entries].map(([key, same]) => [key, sumMeasures(same.map(([, measures]) => measures))]),
    );
  };
  return {
    all: sumMeasures(parts.map(({ all }) => all)),
    models: byKey(parts.map(({ models }) => models)),
    groups: byKey(parts.map(({ groups }) => groups)),
  };
}

const played = scene.chain(({ timezone, at }) =>
  fc.record({
    at: fc.constant(at),
    calls: callsNear(at, { minLength: 60, maxLength: 120 }),
    rolled: fc.constantFrom(0, 0.5, 1),
    queries: fc.array(questionNear(at, timezone), { minLength: 6, maxLength: 6 }),
    splits: fc.array(
      fc.integer({ min: 1, max: 999 }).map((place) => place / 1_000),
      { minLength: 1, maxLength: 4 },
    ),
    chosen: fc.record({
      status: fc.subarray([...CALL_STATUSES]),
      types: fc.subarray([...CALL_TYPES]),
      providerIds: fc.subarray(["openai", "azure", "google"]),
      models: fc.subarray(["gpt-4o", "o3", "veo-3"]),
    }),
  }),
);

/** Every value that a field of a call may have here. */
const UNIVERSE = {
  status: CALL_STATUSES,
  types: CALL_TYPES,
  providerIds: ["openai", "azure", "google"],
  models: ["gpt-4o", "o3", "veo-3"],
} as const;

/** Cuts a range at places between 0 and 1, half of them at whole quarters. */
function cut({ from, to }: TimeRange, places: number[]): TimeRange[] {
  const length = to.getTime() - from.getTime();
  const inside = places.map((place, i) => {
    const time = from.getTime() + Math.floor(place * length);
    return i % 2 === 0 ? time : Math.floor(time / (HOUR / 4)) * (HOUR / 4);
  });
  const edges = [from.getTime(), ...inside, to.getTime()]
    .filter((edge) => edge >= from.getTime())
    .toSorted((one, other) => one - other);
  return edges
    .slice(1)
    .map((end, i) => ({ from: new Date(edges[i]!), to: new Date(end) }))
    .filter((part) => part.from < part.to);
}

/** Records calls, of which those before a place between 0 and 1 are rolled up. */
async function recordPartly({ calls, rolled }: { calls: ModelCall[]; rolled: number }): Promise<void> {
  const early = calls.slice(0, Math.floor(calls.length * rolled));
  await recordAnew(early.length > 0 ? [early] : [], true);
  await createCallWriter(database.orm).record(calls.slice(early.length));
}

it("however a range is cut, its parts add up to it", async () => {
  let found = 0;
  await fc.assert(
    fc.asyncProperty(played, async ({ queries, splits, ...history }) => {
      await recordPartly(history);
      for (const query of queries) {
        const whole = await sumsOf(query, query);
        const parts = await Promise.all(cut(query, splits).map((part) => sumsOf(query, part)));
        expect(added(parts)).toEqual(added([whole]));
        if (parts.length > 1 && whole.all.calls > 0) found += 1;
      }
    }),
    { numRuns: RUNS },
  );
  expect(found).toBeGreaterThan(RUNS);
}, 300_000);

it("a filter and its complement add up to no filter", async () => {
  let found = 0;
  await fc.assert(
    fc.asyncProperty(played, async ({ queries, chosen, ...history }) => {
      await recordPartly(history);
      for (const query of queries)
        for (const field of Object.keys(UNIVERSE) as (keyof typeof UNIVERSE)[]) {
          // The other fields' filters are the same in both.
          const { [field]: _, ...others } = query.filter;
          const left = UNIVERSE[field].filter((value) => !(chosen[field] as string[]).includes(value));
          const sides = await Promise.all(
            [chosen[field], left]
              .filter((values) => values.length > 0)
              .map((values) => sumsOf({ ...query, filter: { ...others, [field]: values } }, query)),
          );
          const unfiltered = await sumsOf({ ...query, filter: others }, query);
          expect(added(sides)).toEqual(added([unfiltered]));
          if (sides.every(({ all }) => all.calls > 0) && sides.length === 2) found += 1;
        }
    }),
    { numRuns: Math.ceil(RUNS / 3) },
  );
  expect(found).toBeGreaterThan(RUNS / 3);
}, 300_000);

it("users add up to all users", async () => {
  await fc.assert(
    fc.asyncProperty(played, async ({ queries, ...history }) => {
      await recordPartly(history);
      for (const query of queries.map(withoutKeys)) {
        const users = await Promise.all(USERS.map((userDid) => sumsOf({ ...query, userDid }, query)));
        expect(added(users)).toEqual(added([await sumsOf({ ...query, userDid: null }, query)]));
      }
    }),
    { numRuns: RUNS },
  );
}, 300_000);

it("in which order, how often, in which batches, and between which roll-ups calls were recorded makes no difference", async () => {
  const ways = played.chain((history) =>
    fc.record({
      history: fc.constant(history),
      order: fc.shuffledSubarray([...history.calls.keys()], { minLength: history.calls.length }),
      repeated: fc.shuffledSubarray([...history.calls.keys()]),
      batch: fc.integer({ min: 1, max: 40 }),
      rolled: fc.boolean(),
    }),
  );
  const answers = async (queries: UsageStatsQuery[]) => {
    const repository = createUsageRepository(database.orm);
    return Promise.all(
      queries.map(async (query) => {
        const { stats } = await getUsageStats({ repository, cache: null, now: new Date() }, query);
        return comparable(stats, query.groupBy);
      }),
    );
  };
  await fc.assert(
    fc.asyncProperty(ways, async ({ history: { calls, queries }, order, repeated, batch, rolled }) => {
      await recordAnew([calls], true);
      const expected = await answers(queries);
      // The last of them may come twice in one batch.
      const sent = [...order, ...repeated].map((index) => calls[index]!);
      const batches = Array.from({ length: Math.ceil(sent.length / batch) }, (_, i) =>
        sent.slice(i * batch, (i + 1) * batch),
      );
      await recordAnew(batches, rolled && batch > 10);
      expect(await answers(queries)).toEqual(expected);
    }),
    { numRuns: RUNS },
  );
}, 300_000);
