import { type HttpBindings } from "@hono/node-server";
import {
  type GuardedOperation,
  type Identity,
  type OnQuestion,
  type Ports,
  type RequestContext,
} from "@usage-stats/api";
import { type RequestCache, type SharedCache } from "@usage-stats/cache";
import { type Clock } from "@usage-stats/core";
import { type Context } from "hono";
import { type Spent } from "../limits/limiter.ts";
import { type Shares } from "../limits/shares.ts";
import { type Admit } from "./admit.ts";
import { type RequestDeadline, startRequestDeadline } from "./request-deadline.ts";
import { portsInTurns } from "./request-ports.ts";

/** A request as HTTP knows it: what verbs take of it, and what the response's headers tell of it. */
export type HttpRequest = RequestContext & {
  cache: RequestCache | null;
  deadline: RequestDeadline;
  /** What is asked for, once a handler has said it. */
  operation: GuardedOperation | undefined;
  /** Whether it was counted with the address that it comes from. */
  isCounted: boolean;
  /** Who asks, once that is looked into. */
  entering: Promise<Identity> | undefined;
  /** What is left of the budget that it was counted in. */
  budget: Spent | undefined;
  /** When what was refused may go well. */
  retryAfterSeconds: number | undefined;
  /** Whether the response was made with all its headers. */
  hasHeaders: boolean;
};

/** What every handler finds in Hono's context. */
export type AppEnv = {
  /** Node's own request and response. */
  Bindings: HttpBindings;
  Variables: { request: HttpRequest };
};

export type RequestParts = {
  ports: Ports;
  cache: SharedCache | null;
  clock: Clock;
  /** What each identity may have the database do at once. */
  shares: Shares;
  admit: Admit;
  onQuestion?: OnQuestion;
  /** How long a request may wait for everything together. */
  requestDeadlineMs: number;
};

/** Makes the context of a request that has just come. Plain data alone: with a getter each would have a shape of its own, which costs a cached answer a fifth. */
export function createRequest(context: Context<AppEnv>, parts: RequestParts): HttpRequest {
  const deadline = startRequestDeadline(parts.requestDeadlineMs, () => context.req.raw.signal);
  const request: HttpRequest = {
    ports: portsInTurns(() => request, parts),
    now: parts.clock.now(),
    requestId: crypto.randomUUID(),
    cache: parts.cache?.forRequest(deadline.signal) ?? null,
    costs: [],
    signal: deadline.signal,
    onQuestion: parts.onQuestion,
    admit: (operation, all) => parts.admit(context, operation, all),
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
