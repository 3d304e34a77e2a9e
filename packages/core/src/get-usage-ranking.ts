import { refuseKeysOfEveryone } from "./group-by.ts";
import { toMetrics } from "./measures.ts";
import { type DatabaseCost, type RankedAggregate, type RankingRepository } from "./ports.ts";
import { decodeRankingCursor, encodeRankingCursor } from "./ranking-cursor.ts";
import { checkRange } from "./range.ts";
import { isSettled } from "./split-query.ts";
import {
  type RankedBy,
  type RankingKeys,
  type UsageRanking,
  type UsageRankingQuery,
} from "./usage-ranking.ts";

/**
 * Answers which users, apps or models used how much, a page at a time, all of one database snapshot. Throws `UsageStatsError` for a
 * query that cannot be answered, and `unavailable` if the database cannot.
 */
export async function getUsageRanking<By extends RankedBy>(
  { repository, now, signal }: { repository: RankingRepository; now: Date; signal?: AbortSignal | undefined },
  input: UsageRankingQuery & { by: By },
): Promise<{ ranking: UsageRanking<By>; cost: DatabaseCost }> {
  refuseKeysOfEveryone(input);
  const range = checkRange({ from: input.from, to: input.to });
  const after = input.cursor === undefined ? null : decodeRankingCursor(input, input.cursor);
  const { by, filter, orderBy, direction, search, limit } = input;
  const query = { range, settled: isSettled(range, now), by, filter, orderBy, direction, search, after };
  // One more than a page holds tells whether there is another.
  const aggregates = await repository.readRanking({ ...query, limit: limit + 1 }, signal);
  const { totals, matched, liveFrom, source, statements, durationMs } = aggregates;
  const page = aggregates.items.slice(0, limit);
  const firstRank = (after?.rank ?? 0) + 1;
  const last = page.at(-1);
  return {
    cost: { statements, durationMs },
    ranking: {
      range,
      items: page.map((item, i) => ({
        ...(keyOf(by, item) as RankingKeys[By]),
        rank: firstRank + i,
        metrics: toMetrics(item.measures),
        share: item.measures.calls / totals.calls,
      })),
      totals: toMetrics(totals),
      matched: { count: matched.count, metrics: toMetrics(matched.measures) },
      freshness: { computedAt: now, liveFrom, source },
      nextCursor:
        last === undefined || aggregates.items.length <= limit
          ? null
          : encodeRankingCursor(input, {
              value: last.value,
              key: last.key,
              rank: firstRank + page.length - 1,
            }),
    },
  };
}

function keyOf(by: RankedBy, { key: [first, second] }: RankedAggregate): RankingKeys[RankedBy] {
  if (by === "user") return { userDid: first };
  if (by === "app") return { appDid: first === "" ? null : first };
  return { providerId: first, model: second };
}
