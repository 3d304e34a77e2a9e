import { type UsageStatsQuery } from "@usage-stats/core";
import { authorizeEveryonesUsage, authorizeUsage } from "./read-usage.ts";
import { cachedAnswer, lookupOf } from "./answer.ts";
import { type AnsweredRequest, batchBody } from "./answered-request.ts";
import { TRPC } from "./answer-formats.ts";
import { type RequestContext } from "../context.ts";
import { everyonesUsageStatsInput, usageStatsInput } from "./input.ts";
import { type Identity } from "@usage-stats/identity";
import { createRequestSize } from "../request-size.ts";

/** The body of a response and, where it holds one answer, what finds that again. */
export type CachedTrpcAnswers = { body: Uint8Array<ArrayBuffer>; answered: AnsweredRequest | null };

/**
 * The body of tRPC's response to a query whose every answer is kept, without running tRPC: what it would send, at a fraction
 * of the cost. `null` for everything else, which is for tRPC to answer, and above all to refuse.
 */
export async function cachedTrpcAnswers(
  ctx: Pick<RequestContext, "cache" | "now" | "admit">,
  request: { path: string; query: URLSearchParams },
): Promise<CachedTrpcAnswers | null> {
  const batch = request.query.get("batch") === "1";
  const names = batch ? request.path.split(",") : [request.path];
  if (names.length > MAX_BATCH_SIZE || !names.every(isKept)) return null;
  const size = createRequestSize();
  try {
    const input = JSON.parse(request.query.get("input") ?? "null") as unknown;
    const answers = await Promise.all(
      names.map(async (name, i) => {
        const identity = await ctx.admit(name, names);
        const query = QUERIES[name]({ identity }, batch ? (input as Record<number, unknown>)[i] : input);
        if (query === null) return null;
        size.addSeries(query);
        const lookup = lookupOf(query, TRPC);
        const payload = await cachedAnswer(ctx, lookup);
        return payload && { payload, answered: { operation: name, lookup: lookup!, isBatch: batch } };
      }),
    );
    const found = answers.filter((answer) => answer !== null);
    if (found.length < names.length) return null;
    const payloads = found.map(({ payload }) => payload);
    return {
      body: batch ? batchBody(payloads) : payloads[0]!,
      answered: found.length === 1 ? found[0]!.answered : null,
    };
  } catch {
    // tRPC finds the same fault, and has the words for it.
    return null;
  }
}

/** How many calls one tRPC request may hold. */
export const MAX_BATCH_SIZE = 10;

type Ask = (asker: { identity: Identity }, input: unknown) => UsageStatsQuery | null;

/** The queries whose answers are kept, by their tRPC path. */
const QUERIES = {
  usageStats(asker, input) {
    const { data } = usageStatsInput.safeParse(input);
    return data === undefined ? null : authorizeUsage(asker, data);
  },
  "admin.usageStats"(asker, input) {
    const { data } = everyonesUsageStatsInput.safeParse(input);
    return data === undefined ? null : authorizeEveryonesUsage(asker, data);
  },
} satisfies Record<string, Ask>;

function isKept(name: string): name is keyof typeof QUERIES {
  return Object.hasOwn(QUERIES, name);
}
