import {
  getUsageStats,
  GRAIN_MS,
  isSettled,
  type ModelCall,
  previousRange,
  type ResultCache,
  settledUntil,
  startOfGrain,
  type UsageStats,
  type UsageStatsQuery,
} from "@usage-stats/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createUsageRepository, rollUp, verifyRollups } from "../../src/index.ts";
import { createTestDatabase, type TestDatabase } from "../../src/testing/index.ts";
import { bruteForce, comparable } from "../brute-force.ts";
import { faultsOf, toldPercentiles } from "../brute-percentiles.ts";
import { AXES } from "./axes.ts";
import { callsAround, tellingCalls } from "./calls-around.ts";
import { CHANGES } from "./changes.ts";
import { coverageOf, coveringArray, drawing, type Row } from "./covering-array.ts";
import { beginHistory, type History } from "./history.ts";
import { questionOf } from "./question.ts";
import { STATES } from "./rollup-states.ts";

// LONG=1 plays every three values together, any other number the pairs of that many seeds.
const LONG = Number(process.env["LONG"] ?? 0);
const STRENGTH = LONG === 1 ? 3 : 2;
const SEEDS = Array.from({ length: Math.max(1, LONG) }, (_, i) => i + 1);

let database: TestDatabase;
let comparisons = 0;
/** For each kind of change, how often it was made, and how often that changed the answer. */
const made = new Map<string, { times: number; seen: number }>();

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

describe.each(SEEDS)("with seed %d", (seed) => {
  const rows = coveringArray(AXES, STRENGTH, seed);

  it("every combination is played", () => {
    const { covered, total } = coverageOf(AXES, rows, STRENGTH);
    const percent = Math.floor((100 * covered) / total);
    const what = STRENGTH === 2 ? "pairs" : "triples";
    console.log(`${percent} % of ${total} ${what} covered in ${rows.length} rows (seed ${seed})`);
    expect(covered).toBe(total);
  });

  it.each(rows.map((row, index) => [index + 1, Object.values(row).join(" · "), row] as const))(
    "answers as brute force does after every step of row %d: %s",
    (number, _, row) => expectExactThroughout(row, seed * 100_000 + number),
  );
});

it("is played with changes that show, each kind of them", () => {
  console.log(`compared with brute force ${comparisons} times`);
  for (const change of AXES.change.filter((kind) => kind !== "none")) {
    const { times, seen } = made.get(change) ?? { times: 0, seen: 0 };
    expect([change, times > 0, seen >= times / 10]).toEqual([change, true, true]);
  }
});

async function expectExactThroughout(row: Row<typeof AXES>, seed: number): Promise<void> {
  const draw = drawing(seed);
  const query = questionOf(row, new Date(), draw);
  const history = await beginHistory(database, (found, expected) => expect(found).toEqual(expected));
  const [early, late] = callsAround(query, seed);
  const check = () => expectExact(history, query, row.read);

  await history.record(early);
  await check();
  const middle = new Date((query.from.getTime() + query.to.getTime()) / 2);
  await STATES[row.state]!(history, { late, middle });
  let answer = await check();
  for (const call of tellingCalls(history.calls(), query, draw))
    for (const step of CHANGES[row.change]!(history, call)) {
      await step();
      const next = await check();
      const { times, seen } = made.get(row.change) ?? { times: 0, seen: 0 };
      made.set(row.change, { times: times + 1, seen: seen + (next === answer ? 0 : 1) });
      answer = next;
    }
  await rollUp(database.orm);
  await check();
  expect((await verifyRollups(database.orm)).differences).toEqual([]);
}

async function expectExact(history: History, query: UsageStatsQuery, read: string): Promise<string> {
  const cache = read === "whole" ? null : keepsNothing;
  const repository = createUsageRepository(database.orm);
  const now = new Date();
  const { stats } = await getUsageStats({ repository, cache, now }, query);
  const found = comparable(stats, query.groupBy);
  // The remainder of a history is read from calls.
  const fromCalls = read === "whole" || isSettled(query, now) ? query.to : settledUntil(now);
  const counted = countedOf(history, query, fromCalls);
  expect(found).toEqual(bruteForce(counted, query, stats));
  expectPercentiles(history, counted, query, stats);
  comparisons += 1;
  return JSON.stringify(found);
}

/** They are of the same calls, as long as all of these are there. */
function expectPercentiles(
  history: History,
  counted: ModelCall[],
  query: UsageStatsQuery,
  stats: UsageStats,
) {
  const { percentiles } = query;
  if (percentiles === undefined) {
    expect(JSON.stringify(stats)).not.toMatch(/percentiles/i);
    return;
  }
  const isGone = ({ userDid, callTime }: ModelCall) => history.isFrozen(userDid, callTime);
  const told = toldPercentiles(counted, query, stats);
  expect(told.flatMap((place) => faultsOf(place, percentiles, isGone))).toEqual([]);
}

const keepsNothing: ResultCache = {
  peek: async () => null,
  async remember(_, compute) {
    const text = await compute();
    const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
    return { payload: { bytes }, hit: false };
  },
};

/**
 * The calls that count. Where they were dropped, that is whole quarters as they were rolled up: of a part of one nobody knows anything
 * (docs/decisions/0014-frozen-quarters.md), nor of what is read `fromCalls` on.
 */
function countedOf(history: History, query: UsageStatsQuery, fromCalls: Date): ModelCall[] {
  const periods = [{ from: query.from, to: fromCalls }, previousRange(query)];
  return history.calls().filter((call) => {
    if (!history.isFrozen(call.userDid, call.callTime)) return true;
    const start = startOfGrain(call.callTime, "quarter").getTime();
    return periods.some(
      ({ from, to }) => start >= from.getTime() && start + GRAIN_MS.quarter <= to.getTime(),
    );
  });
}
