import { type CacheFormat, type Payload, type UsageStats } from "@usage-stats/core";
import superjson, { type SuperJSONResult } from "superjson";
import { serializeOutput } from "../serialize-output.ts";
import { toRestUsageStats } from "./rest-result.ts";

/** How an answer is given and, of a settled range, cached: `of` makes it from the stats. */
export type AnswerFormat<Answer> = CacheFormat<Answer> & { of(stats: UsageStats): Answer };

/** Gives a format whose answers are texts: what is cached is what is sent. */
export function textFormat(kind: string, write: (stats: UsageStats) => string): AnswerFormat<Payload> {
  const encoder = new TextEncoder();
  return {
    kind,
    of: (stats) => ({ bytes: encoder.encode(write(stats)) }),
    encode: ({ bytes }) => bytes,
    decode: (payload) => payload,
  };
}

/** The JSON of the REST endpoints, of a query by days with the period before. */
export const REST_JSON = textFormat("rest", (stats) => JSON.stringify(toRestUsageStats(stats, false)));

/** The same for who says what models are ranked by: each of them has its share. */
export const REST_JSON_WITH_SHARES = textFormat("rest-shares", (stats) =>
  JSON.stringify(toRestUsageStats(stats, true)),
);

type TrpcResponse = { result: { data: SuperJSONResult } };

/** What a procedure gives; cached is tRPC's whole response, which can be sent without tRPC. */
export const TRPC: AnswerFormat<UsageStats> = {
  kind: "trpc",
  of: (stats) => stats,
  encode(stats) {
    const kept: UsageStats = { ...stats, freshness: { ...stats.freshness, source: "cache" } };
    return JSON.stringify({ result: { data: serializeOutput(kept) } } satisfies TrpcResponse);
  },
  decode({ bytes }) {
    const { result } = JSON.parse(new TextDecoder().decode(bytes)) as TrpcResponse;
    return superjson.deserialize(result.data);
  },
};
