import { type HttpBindings } from "@hono/node-server";
import { type GuardedOperation, type RequestContext } from "@usage-stats/api";
import { type Identity } from "@usage-stats/identity";
import { type RequestCache } from "@usage-stats/cache";
import { type Spent } from "../limits/limiter.ts";
import { type RequestDeadline } from "./request-deadline.ts";

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
