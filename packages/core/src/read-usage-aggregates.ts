import { mergeAggregates } from "./merge-aggregates.ts";
import { cached, cacheEntry, type CacheFormat, type EntryFields } from "./cached.ts";
import {
  type DatabaseCost,
  type ResultCache,
  type Aggregates,
  type AggregateQuery,
  type UsageRepository,
} from "./ports.ts";
import { type UsageStats } from "./usage-stats.ts";
import { splitQuery } from "./split-query.ts";

/** Aggregates, and where they came from. */
export type AnswerAggregates = Aggregates & { liveFrom: Date; source: UsageStats["freshness"]["source"] };

/**
 * Reads what a query asks for. Where it reaches into time that is not settled, its history is remembered and only the
 * remainder read live. A wholly settled query is read as it is: what is kept of it is the finished answer, by whoever finishes
 * it. Without a cache, everything is read at once.
 */
export async function readUsageAggregates(
  {
    repository,
    cache,
    now,
    signal,
  }: {
    repository: UsageRepository;
    cache: ResultCache | null;
    now: Date;
    signal?: AbortSignal | undefined;
  },
  query: AggregateQuery,
): Promise<{ aggregates: AnswerAggregates; cost: DatabaseCost }> {
  const cost = { statements: 0, durationMs: 0 };
  const counted = <Answer extends DatabaseCost>(answer: Answer): Answer => {
    cost.statements += answer.statements;
    cost.durationMs += answer.durationMs;
    return answer;
  };
  const split = cache === null || query.settled ? null : splitQuery(query, now);
  if (cache !== null && split !== null) {
    const entry = cacheEntry(HISTORY.kind, historyOf(split.history), HISTORY_FIELDS);
    const { value, hit } = await cached(cache, HISTORY, entry, async (wanted) =>
      counted(await repository.read(split.history, wanted)),
    );
    const all = { ...query, topN: EVERY_GROUP };
    const remainder = counted(await repository.sumCalls(all, split.remainder, signal));
    const merged = mergeAggregates(query, split, value, remainder);
    if (merged !== null) {
      const source = hit ? "cache+live" : "rollup+live";
      return { aggregates: { ...merged, liveFrom: split.history.range.to, source }, cost };
    }
  }
  const aggregates = counted(await repository.read(query, signal));
  return { aggregates, cost };
}

const EVERY_GROUP = 2 ** 31 - 1;

const HISTORY: CacheFormat<Aggregates> = {
  kind: "history",
  encode: ({ sums, models, groups, groupSeries, latencies }) =>
    JSON.stringify({
      sums,
      models,
      groups,
      groupSeries,
      ...(latencies && { latencies }),
    } satisfies Aggregates),
  decode: ({ bytes }) => JSON.parse(new TextDecoder().decode(bytes)) as Aggregates,
};

/** A history is settled, always. */
const historyOf = ({ settled: _, ...history }: AggregateQuery) => history;

const HISTORY_FIELDS: EntryFields<ReturnType<typeof historyOf>> = {
  range: true,
  previous: true,
  edges: true,
  groupBy: true,
  filter: true,
  rankBy: true,
  topN: true,
  latencies: true,
};
