import { mergeFacts } from "./merge-facts.ts";
import { cached, cacheEntry, type CacheFormat, type EntryFields } from "./cached.ts";
import {
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
    now,
    signal,
  }: {
    repository: UsageRepository;
    cache: ResultCache | null;
    now: Date;
    signal?: AbortSignal | undefined;
  },
  question: UsageQuestion,
): Promise<{ facts: ReadFacts; cost: DatabaseCost }> {
  const cost = { statements: 0, durationMs: 0 };
  const counted = <Answer extends DatabaseCost>(answer: Answer): Answer => {
    cost.statements += answer.statements;
    cost.durationMs += answer.durationMs;
    return answer;
  };
  const split = cache === null || question.closed ? null : splitQuestion(question, now);
  if (cache !== null && split !== null) {
    const entry = cacheEntry(HISTORY.kind, historyOf(split.history), HISTORY_FIELDS);
    const { value, hit } = await cached(cache, HISTORY, entry, async (wanted) =>
      counted(await repository.read(split.history, wanted)),
    );
    const all = { ...question, topN: EVERY_GROUP };
    const rest = counted(await repository.readCalls(all, split.rest, signal));
    const merged = mergeFacts(question, split, value, rest);
    if (merged !== null) {
      const source = hit ? "cache+live" : "rollup+live";
      return { facts: { ...merged, liveFrom: split.history.range.to, source }, cost };
    }
  }
  const facts = counted(await repository.read(question, signal));
  return { facts, cost };
}

const EVERY_GROUP = 2 ** 31 - 1;

const HISTORY: CacheFormat<SummedFacts> = {
  kind: "history",
  encode: ({ sums, models, groups, groupSeries }) =>
    JSON.stringify({ sums, models, groups, groupSeries } satisfies SummedFacts),
  decode: (payload) => JSON.parse(new TextDecoder().decode(payload)) as SummedFacts,
};

/** A history is settled, always. */
const historyOf = ({ closed: _, ...history }: UsageQuestion) => history;

const HISTORY_FIELDS: EntryFields<ReturnType<typeof historyOf>> = {
  range: true,
  previous: true,
  edges: true,
  groupBy: true,
  filter: true,
  topN: true,
};
