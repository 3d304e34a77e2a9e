import { type OnQuery, type Ports } from "@usage-stats/api";
import { type SharedCache } from "@usage-stats/cache";
import { type Clock } from "@usage-stats/core";
import { type Shares } from "../limits/shares.ts";
import { type Admit } from "./admit.ts";
import { type Arrival, type HttpRequest } from "./http-request.ts";
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

/** Makes the context of a request that has just come: plain data alone, because with a getter each would have a shape of its own. */
export function createRequest(arrival: Arrival, parts: RequestParts): HttpRequest {
  const deadline = startRequestDeadline(parts.requestDeadlineMs, () => arrival.req.raw.signal);
  const request: HttpRequest = {
    arrival,
    ports: portsInTurns(() => request, parts),
    now: parts.clock.now(),
    requestId: crypto.randomUUID(),
    cache: parts.cache?.forRequest(deadline.signal) ?? null,
    costs: [],
    signal: deadline.signal,
    onQuery: parts.onQuery,
    admit: async (operation, all) => parts.admit(request, operation, all),
    deadline,
    operation: undefined,
    isCounted: false,
    entering: undefined,
    budget: undefined,
    retryAfterSeconds: undefined,
    hasHeaders: false,
  };
  return request;
}
