import { mergeFacts } from "./merge-facts.ts";
import {
  type CacheEntry,
  type DatabaseCost,
  type ResultCache,
  type SummedFacts,
  type UsageQuestion,
  type UsageRepository,
} from "./ports.ts";
import { type UsageStats } from "./usage-stats.ts";
import { splitQuestion } from "./split-question.ts";

/** Facts, and where they came from. */
export type ReadFacts = SummedFacts & { liveFrom: Date; source: UsageStats["freshness"]["source"] };

/**
 * Reads what a question asks for. Where it reaches into time that is not settled, its history is remembered and only the
 * rest read live. A wholly settled question is read as it is: what is kept of it is the finished answer, by whoever finishes
 * it. Without a cache, everything is read at once.
 */
export async function readUsageFacts(
  {
    repository,
    cache,
    signal,
  }: { repository: UsageRepository; cache: ResultCache | null; signal?: AbortSignal | undefined },
  question: UsageQuestion,
  now: Date,
): Promise<{ facts: ReadFacts; cost: DatabaseCost }> {
  const cost = { statements: 0, durationMs: 0 };
  const counted = <Answer extends DatabaseCost>(answer: Answer): Answer => {
    cost.statements += answer.statements;
    cost.durationMs += answer.durationMs;
    return answer;
  };
  const split = cache === null || question.closed ? null : splitQuestion(question, now);
  if (cache !== null && split !== null) {
    const { bytes, hit } = await cache.remember(entryOf(split.history), async (wanted) => {
      const { sums, models, groups, groupSeries } = counted(await repository.read(split.history, wanted));
      return JSON.stringify({ sums, models, groups, groupSeries } satisfies SummedFacts);
    });
    const all = { ...question, topN: EVERY_GROUP };
    const rest = counted(await repository.readCalls(all, split.rest, signal));
    const merged = mergeFacts(
      question,
      split,
      JSON.parse(new TextDecoder().decode(bytes)) as SummedFacts,
      rest,
    );
    if (merged !== null) {
      const source = hit ? "cache+live" : "rollup+live";
      return { facts: { ...merged, liveFrom: split.history.range.to, source }, cost };
    }
  }
  const facts = counted(await repository.read(question, signal));
  return { facts, cost };
}

const EVERY_GROUP = 2 ** 31 - 1;

function entryOf({ userDid, range, previous, edges, groupBy, filter, topN }: UsageQuestion): CacheEntry {
  const span = (times: Date[]) => times.map((time) => time.getTime());
  return {
    kind: "history",
    userDid,
    fields: [
      span([range.from, range.to]),
      previous && span([previous.from, previous.to]),
      span(edges),
      groupBy,
      filterFields(filter),
      topN,
    ],
  };
}

/** A filter's lists, whatever order they were written in: they mean the same. */
export function filterFields(filter: UsageQuestion["filter"]): CacheEntry["fields"] {
  return [filter.appDids, filter.providerIds, filter.models, filter.types, filter.status].map(
    (list) => list?.toSorted() ?? null,
  );
}
