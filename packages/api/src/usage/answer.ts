import {
  type Awaitable,
  type CacheEntry,
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
  const lookup = lookupOf(query, format);
  if (ctx.cache === null || lookup === null || !isSettled(lookup, ctx.now)) return make(ctx.signal?.());
  return (await cached(ctx.cache, format, lookup.entry, make)).value;
}

/** What finds a query's answer in a cache: the same for whoever may ask the same, as long as the range that ends at `to` is settled. */
export type AnswerLookup = { to: Date; entry: CacheEntry };

/** Gives what finds a query's answer, or `null` for one that no cache may answer. */
export function lookupOf(query: UsageStatsQuery, { kind }: AnswerFormat<unknown>): AnswerLookup | null {
  if (query.noCache === true) return null;
  return { to: query.to, entry: { ...cacheEntry(kind, query, FIELDS), isSent: true } };
}

/** Gives the payload that is cached of an answer, ready to be sent, or `null`: at once where nothing has to be waited for. */
export function cachedAnswer(
  { cache, now }: Pick<AnswerContext, "cache" | "now">,
  lookup: AnswerLookup | null,
): Awaitable<Payload | null> {
  return cache === null || lookup === null || !isSettled(lookup, now) ? null : cache.peek(lookup.entry);
}

const FIELDS: EntryFields<UsageStatsQuery> = {
  from: true,
  to: true,
  timezone: true,
  bucket: true,
  groupBy: true,
  filter: true,
  rankBy: true,
  topN: true,
  compare: true,
  percentiles: true,
  limit: true,
  cursor: true,
};
