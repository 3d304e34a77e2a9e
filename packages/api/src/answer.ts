import {
  cached,
  cacheEntry,
  type CacheFormat,
  type EntryFields,
  getUsageStats,
  isSettled,
  type UsageStats,
  type UsageStatsInput,
} from "@usage-stats/core";
import superjson, { type SuperJSONResult } from "superjson";
import { type AllowedQuestion } from "./allowed-question.ts";
import { type Reaching } from "./context.ts";
import { toRestUsageStats } from "./rest/rest-usage-stats.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** How an answer is given and, of a settled range, cached: `of` makes it from the stats. */
export type AnswerFormat<Answer> = CacheFormat<Answer> & { of(stats: UsageStats): Answer };

/** Told of a query that the cache alone did not answer, and of the format that it was answered in. */
export type OnQuestion = (format: AnswerFormat<unknown>, query: UsageStatsInput) => void;

/** What answering takes of a request. */
export type AnswerContext = Reaching<"repository", "now" | "cache" | "costs" | "signal" | "onQuestion">;

/** Answers a query in a format. The answer of a settled range is cached as it is sent. */
export async function answer<Answer>(
  ctx: AnswerContext,
  { question: query, noCache }: AllowedQuestion,
  format: AnswerFormat<Answer>,
): Promise<Answer> {
  const cache = noCache ? null : ctx.cache;
  const make = async (wanted: AbortSignal | undefined) => {
    ctx.onQuestion?.(format, query);
    const { stats, cost } = await getUsageStats(
      { repository: ctx.ports.repository, cache, now: ctx.now, signal: wanted },
      query,
    );
    ctx.costs.push(cost);
    return format.of(stats);
  };
  if (cache === null || !isSettled(query, ctx.now)) return make(ctx.signal?.());
  return (await cached(cache, format, entryOf(query, format), make)).value;
}

/** Gives the payload that is cached of an answer, ready to be sent, or `null`. */
export async function cachedAnswer(
  { cache, now }: Pick<AnswerContext, "cache" | "now">,
  { question: query, noCache }: AllowedQuestion,
  format: AnswerFormat<unknown>,
): Promise<Bytes | null> {
  if (noCache || cache === null || !isSettled(query, now)) return null;
  return cache.peek(entryOf(query, format));
}

/** Gives a format whose answers are texts, in UTF-8: what is cached is what is sent. */
export function textFormat(kind: string, write: (stats: UsageStats) => string): AnswerFormat<Bytes> {
  const encoder = new TextEncoder();
  return {
    kind,
    of: (stats) => encoder.encode(write(stats)),
    encode: (bytes) => bytes,
    decode: (bytes) => bytes,
  };
}

/** The JSON of the REST endpoints, of a query by days with the period before. */
export const REST_JSON = textFormat("rest", (stats) => JSON.stringify(toRestUsageStats(stats)));

type TrpcResponse = { result: { data: SuperJSONResult } };

/** What a procedure gives; cached is tRPC's whole response, which can be sent without tRPC. */
export const TRPC: AnswerFormat<UsageStats> = {
  kind: "trpc",
  of: (stats) => stats,
  encode(stats) {
    const kept: UsageStats = { ...stats, freshness: { ...stats.freshness, source: "cache" } };
    return JSON.stringify({ result: { data: superjson.serialize(kept) } } satisfies TrpcResponse);
  },
  decode(payload) {
    const { result } = JSON.parse(new TextDecoder().decode(payload)) as TrpcResponse;
    return superjson.deserialize(result.data);
  },
};

function entryOf(query: UsageStatsInput, { kind }: AnswerFormat<unknown>) {
  return cacheEntry(kind, query, FIELDS);
}

const FIELDS: EntryFields<UsageStatsInput> = {
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
