import { type UsageStatsQuery } from "@usage-stats/core";
import { authorizeEveryonesUsage, authorizeUsage } from "./read-usage.ts";
import { cachedAnswer } from "./answer.ts";
import { TRPC } from "./answer-formats.ts";
import { type RequestContext } from "../context.ts";
import { everyonesUsageStatsInput, usageStatsInput } from "./input.ts";
import { type Identity } from "@usage-stats/identity";
import { createRequestSize } from "../request-size.ts";

/**
 * The body of tRPC's response to a query whose every answer is kept, without running tRPC: what it would send, at a fraction
 * of the cost. `null` for everything else, which is for tRPC to answer, and above all to refuse.
 */
export async function cachedTrpcAnswers(
  ctx: Pick<RequestContext, "cache" | "now" | "admit">,
  request: { path: string; query: URLSearchParams },
): Promise<Uint8Array<ArrayBuffer> | null> {
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
        return cachedAnswer(ctx, query, TRPC);
      }),
    );
    if (answers.includes(null)) return null;
    const bodies = answers as Uint8Array<ArrayBuffer>[];
    return batch ? joined(bodies) : bodies[0]!;
  } catch {
    // tRPC finds the same fault, and has the words for it.
    return null;
  }
}

/** How many calls one tRPC request may hold. */
export const MAX_BATCH_SIZE = 10;

/** A batch's response: the list of the responses. */
function joined(bodies: Uint8Array<ArrayBuffer>[]): Uint8Array<ArrayBuffer> {
  const [open, comma, close] = new TextEncoder().encode("[,]");
  const batch = new Uint8Array(bodies.reduce((length, body) => length + body.length + 1, 1));
  let end = 0;
  for (const body of bodies) {
    batch[end] = end === 0 ? open! : comma!;
    batch.set(body, end + 1);
    end += body.length + 1;
  }
  batch[end] = close!;
  return batch;
}

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
