import {
  getUsageRanking,
  type ModelCall,
  RANKED_BY,
  RANKING_METRICS,
  type RankingRepository,
  type UsageRanking,
  type UsageRankingQuery,
} from "@usage-stats/core";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createCallWriter, createRankingRepository, rollUp } from "../src/index.ts";
import { createTestDatabase, type TestDatabase, readRawRanking } from "../src/testing/index.ts";
import { callsNear, questionNear, scene, withoutKeys } from "./arbitrary-usage.ts";
import { matches, sums } from "./brute-force.ts";
import { modelCall } from "./model-calls.ts";

const QUESTIONS_EACH = 15;
let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

const rankingNear = (at: number, timezone: string): fc.Arbitrary<UsageRankingQuery> =>
  fc
    .record({
      near: questionNear(at, timezone),
      by: fc.constantFrom(...RANKED_BY),
      orderBy: fc.constantFrom(...RANKING_METRICS),
      direction: fc.constantFrom("asc" as const, "desc" as const),
      search: fc.constantFrom(null, null, "Z1A", "gpt", "i/g", "%", "_", "app1", "nobody"),
      limit: fc.integer({ min: 1, max: 5 }),
    })
    .map(({ near, ...rest }) => {
      const { from, to, filter } = withoutKeys(near);
      return { from, to, filter, ...rest };
    });

/** Every page of a ranking, one after the other. */
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

const KEYS = {
  user: ({ userDid }: ModelCall) => ({ userDid }),
  app: ({ appDid }: ModelCall) => ({ appDid }),
  model: ({ providerId, model }: ModelCall) => ({ providerId, model }),
};

/** What a ranking must say, by adding up calls one by one. */
function bruteForceRanking(calls: ModelCall[], input: UsageRankingQuery) {
  const mine = calls.filter(
    (call) => call.callTime >= input.from && call.callTime < input.to && matches(call, input),
  );
  const groups = Map.groupBy(mine, (call) => JSON.stringify(KEYS[input.by](call)));
  const nameOf = (key: string) =>
    Object.values(JSON.parse(key) as Record<string, string | null>).map((part) => part ?? "");
  const found = [...groups]
    .filter(([key]) =>
      nameOf(key)
        .join("/")
        .toLowerCase()
        .includes((input.search ?? "").toLowerCase()),
    )
    .map(([key, own]) => ({ key, own, metrics: sums(own) }))
    .toSorted((a, b) => {
      const order = compare(valueOf(a.metrics, input), valueOf(b.metrics, input));
      return (
        (input.direction === "asc" ? order : -order) ||
        (nameOf(a.key).join("\0") < nameOf(b.key).join("\0") ? -1 : 1)
      );
    });
  return {
    items: found.map(({ key, own, metrics }, i) => ({
      ...(JSON.parse(key) as object),
      rank: i + 1,
      metrics,
      share: own.length / mine.length,
    })),
    totals: sums(mine),
    matched: { count: found.length, metrics: sums(found.flatMap(({ own }) => own)) },
  };
}

/** As a number of 1e-8 units, or an average. */
function valueOf(metrics: ReturnType<typeof sums>, { orderBy }: UsageRankingQuery): number | bigint {
  const value = metrics[orderBy] as number | string | { avg: number } | null;
  if (value === null) return -1;
  if (typeof value === "object") return value.avg;
  return typeof value === "string" ? BigInt(value.replace(".", "")) : value;
}

function compare(a: number | bigint, b: number | bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

it.each(["raw calls", "rollups, none yet", "rollups, half of them", "rollups, all of them"])(
  "ranks 600 random questions from %s, page by page, as adding up the calls one by one does",
  async (way) => {
    const callWriter = createCallWriter(database.orm);
    const repository = createRankingRepository(
      database.orm,
      way === "raw calls" ? readRawRanking : undefined,
    );
    const cases = scene.chain(({ timezone, at }) =>
      fc.record({
        calls: callsNear(at, { minLength: 20, maxLength: 150 }),
        queries: fc.array(rankingNear(at, timezone), {
          minLength: QUESTIONS_EACH,
          maxLength: QUESTIONS_EACH,
        }),
      }),
    );
    await fc.assert(
      fc.asyncProperty(cases, async ({ calls, queries }) => {
        await database.orm.em.fork().execute("delete from model_calls");
        const early = way.endsWith("half of them")
          ? calls.length / 2
          : way.endsWith("all of them")
            ? calls.length
            : 0;
        await callWriter.record(calls.slice(0, early));
        if (early > 0) await rollUp(database.orm);
        await callWriter.record(calls.slice(early));
        for (const input of queries) {
          const all = await pages(repository, input);
          const expected = bruteForceRanking(calls, input);
          expect(all.flatMap(({ items }) => items)).toEqual(expected.items);
          for (const { totals, matched, items } of all) {
            expect({ totals, matched }).toEqual({ totals: expected.totals, matched: expected.matched });
            expect(items.length).toBeLessThanOrEqual(input.limit);
          }
          expect(all).toHaveLength(Math.max(1, Math.ceil(expected.items.length / input.limit)));
        }
      }),
      { numRuns: 600 / QUESTIONS_EACH },
    );
  },
  300_000,
);

it.each([["raw calls", readRawRanking] as const, ["rollups", undefined] as const])(
  "tells averages apart that differ by less than one, from %s",
  async (_, read) => {
    await database.orm.em.fork().execute("delete from model_calls");
    const callTime = new Date("2025-06-15T12:00:00Z");
    const took = (userDid: string, durations: number[]) =>
      durations.map((durationMs, i) => modelCall({ id: `${i}`, userDid, callTime, durationMs }));
    await createCallWriter(database.orm).record([
      ...took("a", [10, 10, 10]),
      ...took("b", [10, 10, 11]),
      ...took("c", [10, 11, 11]),
    ]);
    await rollUp(database.orm);
    const ranked = await createRankingRepository(database.orm, read).readRanking({
      range: { from: new Date("2025-06-15T00:00:00Z"), to: new Date("2025-06-16T00:00:00Z") },
      settled: true,
      by: "user",
      filter: {},
      orderBy: "durationMs",
      direction: "desc",
      search: null,
      limit: 10,
      after: null,
    });
    expect(ranked.items.map(({ key, value }) => [key[0], value])).toEqual([
      ["c", "10.6666666666666667"],
      ["b", "10.3333333333333333"],
      ["a", "10.0000000000000000"],
    ]);
  },
);
