import { type Awaitable, whenThere } from "@usage-stats/core";
import { type GuardedOperation } from "../access.ts";
import { type RequestContext } from "../context.ts";
import { type AnswerLookup, cachedAnswer } from "./answer.ts";

/** What a request asked for that a cached payload answered: whoever asks the same again needs nothing of it to be read anew. */
export type AnsweredRequest = {
  operation: GuardedOperation;
  lookup: AnswerLookup;
  /** Whether it was a tRPC batch of this one call. */
  isBatch: boolean;
};

/** Gives the body of the response to a request that was answered before, or `null` where the cache does not hold it now. */
export function answerAgain(
  ctx: Pick<RequestContext, "cache" | "now">,
  { lookup, isBatch }: AnsweredRequest,
): Awaitable<Uint8Array<ArrayBuffer> | null> {
  return whenThere(cachedAnswer(ctx, lookup), (payload) =>
    payload !== null && isBatch ? batchBody([payload]) : payload,
  );
}

/** The body of a tRPC batch's response: the list of the responses. */
export function batchBody(payloads: Uint8Array<ArrayBuffer>[]): Uint8Array<ArrayBuffer> {
  const [open, comma, close] = new TextEncoder().encode("[,]");
  const batch = new Uint8Array(payloads.reduce((length, payload) => length + payload.length + 1, 1));
  let end = 0;
  for (const payload of payloads) {
    batch[end] = end === 0 ? open! : comma!;
    batch.set(payload, end + 1);
    end += payload.length + 1;
  }
  batch[end] = close!;
  return batch;
}
