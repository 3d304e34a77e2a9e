import { type OnQuery, type Ports } from "@usage-stats/api";
import { type SharedCache } from "@usage-stats/cache";
import { type Clock } from "@usage-stats/core";
import { type Shares } from "../limits/shares.ts";
import { type Admit } from "./admit.ts";
import { type Arrival, type BegunRequest, type HttpRequest } from "./http-request.ts";
import { startRequestDeadline } from "./request-deadline.ts";
import { portsInTurns } from "./request-ports.ts";

export type RequestParts = {
  ports: Ports;
  cache: SharedCache | null;
  clock: Clock;
  /** What each identity may have the database do at once. */
  shares: Shares;
  admit: Admit;
  onQuery?: OnQuery;
  /** How long a request may wait for everything together. */
  requestDeadlineMs: number;
};

/** Begins a request that has just come: plain data alone, because with a getter each would have a shape of its own. */
export function beginRequest(arrival: Arrival, parts: RequestParts): BegunRequest {
  const deadline = startRequestDeadline(parts.requestDeadlineMs, () => arrival.req.raw.signal);
  return {
    arrival,
    now: parts.clock.now(),
    requestId: crypto.randomUUID(),
    cache: parts.cache?.forRequest(deadline.signal) ?? null,
    costs: [],
    signal: deadline.signal,
    deadline,
    operation: undefined,
    isCounted: false,
    entering: undefined,
    budget: undefined,
    retryAfterSeconds: undefined,
    hasHeaders: false,
  };
}

/** Makes a request that is begun one that verbs can take. */
export function createRequest(begun: BegunRequest, parts: RequestParts): HttpRequest {
  const request: HttpRequest = Object.assign(begun, {
    ports: portsInTurns(begun, parts),
    onQuery: parts.onQuery,
    admit: async (...asked: Parameters<HttpRequest["admit"]>) => parts.admit(begun, ...asked),
  });
  return request;
}
