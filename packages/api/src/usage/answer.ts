import {
  cached,
  cacheEntry,
  type EntryFields,
  getUsageStats,
  isSettled,
  type Payload,
  type UsageStatsQuery,
} from "@usage-stats/core";
import { type AnswerFormat } from "./answer-formats.ts";
import { type Reaching } from "../context.ts";

/** What answering takes of a request. */
export type AnswerContext = Reaching<"repository", "now" | "cache" | "costs" | "signal" | "onQuery" | "size">;

/** Answers a query in a format; of a settled range the answer is cached. Throws `batch_too_large`. */
export async function answer<Answer>(
  ctx: AnswerContext,
  query: UsageStatsQuery,
  format: AnswerFormat<Answer>,
): Promise<Answer> {
  ctx.size?.addSeries(query);
  const make = async (wanted: AbortSignal | undefined) => {
    ctx.onQuery?.(format, query);
    const { stats, cost } = await getUsageStats(
      { repository: ctx.ports.repository, cache: ctx.cache, now: ctx.now, signal: wanted },
      query,
    );
    ctx.costs.push(cost);
    return format.of(stats);
  };
  if (ctx.cache === null || query.noCache === true || !isSettled(query, ctx.now)) return make(ctx.signal?.());
  return (await cached(ctx.cache, format, entryOf(query, format), make)).value;
}

/** Gives the payload that is cached of an answer, ready to be sent, or `null`. */
export async function cachedAnswer(
  { cache, now }: Pick<AnswerContext, "cache" | "now">,
  query: UsageStatsQuery,
  format: AnswerFormat<unknown>,
): Promise<Payload | null> {
  if (cache === null || query.noCache === true || !isSettled(query, now)) return null;
  return cache.peek(entryOf(query, format));
}

function entryOf(query: UsageStatsQuery, { kind }: AnswerFormat<unknown>) {
  return { ...cacheEntry(kind, query, FIELDS), isSent: true };
}

const FIELDS: EntryFields<UsageStatsQuery> = {
  from: true,
  to: true,
  timezone: true,
  bucket: true,
  groupBy: true,
  filter: true,
  topN: true,
  compare: true,
  limit: true,
  cursor: true,
};
