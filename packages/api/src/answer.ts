import {
  type CacheEntry,
  filterFields,
  getUsageStats,
  isSettled,
  type UsageStats,
  type UsageStatsInput,
} from "@usage-stats/core";
import superjson, { type SuperJSONResult } from "superjson";
import { type AllowedQuestion } from "./allowed-question.ts";
import { type AnswerKind, type ApiContext } from "./context.ts";
import { toRestUsageStats } from "./rest/rest-usage-stats.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** What answering takes. */
export type AnswerPorts = Pick<
  ApiContext,
  "repository" | "cache" | "clock" | "costs" | "signal" | "size" | "onQuestion"
>;

/** Answers a question. Of a settled range the finished answer is kept, as the text that tRPC sends. Throws `batch_too_large`. */
export async function answer(
  ports: AnswerPorts,
  { question, noCache }: AllowedQuestion,
): Promise<UsageStats> {
  ports.size?.addSeries(question);
  const cache = noCache ? null : ports.cache;
  if (cache === null || !isSettled(question, ports.clock.now()))
    return compute({ ...ports, cache }, "trpc", question, ports.signal?.());
  let made: UsageStats | undefined;
  const { bytes } = await cache.remember(entryOf("trpc", question), async (wanted) => {
    made = await compute({ ...ports, cache }, "trpc", question, wanted);
    const kept: UsageStats = { ...made, freshness: { ...made.freshness, source: "cache" } };
    return JSON.stringify({ result: { data: superjson.serialize(kept) } } satisfies TrpcResponse);
  });
  if (made !== undefined) return made;
  const { result } = JSON.parse(new TextDecoder().decode(bytes)) as TrpcResponse;
  return superjson.deserialize(result.data);
}

type TrpcResponse = { result: { data: SuperJSONResult } };

/** What `answer` keeps for a question, if it is there: tRPC's whole response, as UTF-8. */
export async function keptAnswer(
  ports: AnswerPorts,
  { question, noCache }: AllowedQuestion,
): Promise<Bytes | null> {
  ports.size?.addSeries(question);
  if (noCache || ports.cache === null || !isSettled(question, ports.clock.now())) return null;
  return ports.cache.peek(entryOf("trpc", question));
}

/** Answers a question by days, with the period before, as the JSON of the REST endpoints in UTF-8; kept of a settled range. */
export async function answerRest(ports: AnswerPorts, { question, noCache }: AllowedQuestion): Promise<Bytes> {
  const cache = noCache ? null : ports.cache;
  const make = async (wanted?: AbortSignal) =>
    JSON.stringify(toRestUsageStats(await compute({ ...ports, cache }, "rest", question, wanted)));
  if (cache === null || !isSettled(question, ports.clock.now()))
    return new TextEncoder().encode(await make(ports.signal?.()));
  const { bytes } = await cache.remember(entryOf("rest", question), make);
  return bytes;
}

async function compute(
  { repository, cache, clock, costs, onQuestion }: AnswerPorts,
  kind: AnswerKind,
  question: UsageStatsInput,
  signal: AbortSignal | undefined,
): Promise<UsageStats> {
  onQuestion?.(kind, question);
  const { stats, cost } = await getUsageStats({ repository, cache, clock, signal }, question);
  costs.push(cost);
  return stats;
}

/** Everything that an answer depends on; a field that is missing here would give one question another's answer. */
function entryOf(kind: AnswerKind, question: UsageStatsInput): CacheEntry {
  const { userDid, from, to, timezone, bucket, groupBy, filter, topN, compare, limit, cursor, ...rest } =
    question;
  rest satisfies Record<string, never>;
  return {
    kind,
    userDid,
    fields: [
      from.getTime(),
      to.getTime(),
      timezone,
      bucket,
      groupBy,
      filterFields(filter),
      topN,
      compare,
      limit ?? null,
      cursor ?? null,
    ],
  };
}
