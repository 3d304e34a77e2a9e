import { type AnswerLookup, type GuardedOperation } from "@usage-stats/api";
import { type Payload } from "@usage-stats/core";
import { type Identity } from "@usage-stats/identity";
import { type Representations } from "./representations.ts";
import { type Form } from "./send-representation.ts";

/** What a request asked for that one cached payload answered, and how it was sent: whoever asks the same again needs nothing read anew. */
export type AnsweredRequest = {
  operation: GuardedOperation;
  lookup: AnswerLookup;
  represent(payload: Payload): Representations;
  form: Form;
};

/**
 * Remembers what was asked at addresses that the cache answered, by who asked. It is kept with their identity, which is one object for as
 * long as their session is remembered: what was derived from a session cannot outlive it, and no token is kept a second time.
 */
export type AnsweredRequests = {
  find(identity: Identity, url: string): AnsweredRequest | undefined;
  keep(identity: Identity, url: string, answered: AnsweredRequest): void;
};

/** As many as a page asks for. */
const MOST_A_SESSION = 16;
const LONGEST_URL = 2_000;

export function createAnsweredRequests(): AnsweredRequests {
  const known = new WeakMap<Identity, Map<string, AnsweredRequest>>();
  return {
    find: (identity, url) => known.get(identity)?.get(url),
    keep(identity, url, answered) {
      if (url.length > LONGEST_URL) return;
      let own = known.get(identity);
      if (own === undefined) known.set(identity, (own = new Map()));
      if (own.size >= MOST_A_SESSION) own.clear();
      own.set(url, answered);
    },
  };
}
