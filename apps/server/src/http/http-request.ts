import { type HttpBindings } from "@hono/node-server";
import { type GuardedOperation, type RequestContext } from "@usage-stats/api";
import { type Awaitable } from "@usage-stats/core";
import { type Identity, type Session } from "@usage-stats/identity";
import { type RequestCache } from "@usage-stats/cache";
import { type Spent } from "../limits/limiter.ts";
import { type RequestDeadline } from "./request-deadline.ts";

/**
 * A request as it arrives, with Node's own request and response; Hono's context is one. `session` is what is remembered of whoever asks,
 * where somebody has looked just now.
 */
export type Arrival = { req: { raw: Request }; env: HttpBindings; session?: Session };

/** A request as HTTP knows it: what verbs take of it, and what the response's headers tell of it. */
export type HttpRequest = RequestContext & {
  arrival: Arrival;
  cache: RequestCache | null;
  deadline: RequestDeadline;
  /** What is asked for, once a handler has said it. */
  operation: GuardedOperation | undefined;
  /** Whether it was counted with the address that it comes from. */
  isCounted: boolean;
  /** Who asks, once that is looked into. */
  entering: Awaitable<Identity> | undefined;
  /** What is left of the budget that it was counted in. */
  budget: Spent | undefined;
  /** When what was refused may go well. */
  retryAfterSeconds: number | undefined;
  /** Whether the response was made with all its headers. */
  hasHeaders: boolean;
};

/** A request that is begun, and does not reach the ports yet: most of what a request costs is what reaches them. */
export type BegunRequest = Omit<HttpRequest, "ports" | "admit" | "onQuery">;

/** What every handler finds in Hono's context. */
export type AppEnv = {
  /** Node's own request and response and, where it was begun before Hono was asked, the request. */
  Bindings: HttpBindings & { begun?: BegunRequest };
  Variables: { request: HttpRequest };
};
