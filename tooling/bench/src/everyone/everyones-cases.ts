import { deepStrictEqual } from "node:assert/strict";
import {
  getUsageRanking,
  isSettled,
  type RankingMetric,
  type RankingRepository,
  type TimeRange,
  type UsageRankingQuery,
} from "@usage-stats/core";
import { type Connections } from "../bench-database.ts";
import { checkThisAnswer } from "../check-answers.ts";
import { type Case } from "../measure.ts";
import { wholeDays } from "../periods.ts";
import { anHourAfter, ask, query } from "../this-way.ts";

const ROUNDS = 5;

/** What is asked about everyone: the names of the cases. */
export const ASKED = {
  ranking: "ranking of users by calls, 30 days stored",
  rankingByCredits: "ranking of users by credits, 30 days stored",
  rankingNow: "ranking of users by calls, 30 days up to now",
  allNow: "all users, 30 days up to now",
} as const;

/** Rankings' first pages and all users together, over settled days and up to now with a quarter that is open. */
export function everyonesCases(at: Connections, now: Date): Case[] {
  const days = wholeDays(now, 30).current;
  const upToNow = { from: days.from, to: now };
  const all = query(null, upToNow);
  return [
    rankingCase(at, ASKED.ranking, days, anHourAfter(days), "calls"),
    rankingCase(at, ASKED.rankingByCredits, days, anHourAfter(days), "credits"),
    rankingCase(at, ASKED.rankingNow, upToNow, now, "calls"),
    {
      name: ASKED.allNow,
      rounds: ROUNDS,
      check: () => checkThisAnswer(at, all, now),
      run: () => ask(at.repository, all, now),
    },
  ];
}

function rankingCase(
  { ranking, rawRanking }: Connections,
  name: string,
  range: TimeRange,
  now: Date,
  orderBy: RankingMetric,
): Case {
  const input = { ...range, by: "user" as const, filter: {}, orderBy, direction: "desc" as const };
  const asked: UsageRankingQuery & { by: "user" } = { ...input, search: null, limit: 50 };
  const read = (repository: RankingRepository) => getUsageRanking({ repository, now }, asked);
  const check = async () => {
    const [found, expected] = [(await read(ranking)).ranking, (await read(rawRanking)).ranking];
    deepStrictEqual({ ...found, freshness: null }, { ...expected, freshness: null });
    const source = isSettled(range, now) ? "rollup" : "rollup+live";
    deepStrictEqual(found.freshness.source, source);
  };
  return { name, rounds: ROUNDS, check, run: () => read(ranking) };
}
