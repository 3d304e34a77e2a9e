import { type HttpBindings } from "@hono/node-server";
import { type Identity } from "@usage-stats/api";
import { type RequestCache } from "@usage-stats/cache";
import { type DatabaseCost } from "@usage-stats/core";
import { type Spent } from "../limits/limiter.ts";

/** What every handler finds in Hono's context. */
export type AppEnv = {
  /** Node's own request and response. */
  Bindings: HttpBindings;
  Variables: {
    requestId: string;
    /** What the answers of this request cost the database, filled in as they are made. */
    costs: DatabaseCost[];
    cache: RequestCache | null;
    /** Who asks, once that was looked into. */
    identity: Promise<Identity> | undefined;
    /** What is left of the budget that the request was counted in. */
    budget: Spent | undefined;
    retryAfterSeconds: number | undefined;
    /** The headers that the response has to have, once it is known. */
    headersOf: () => Record<string, string>;
    /** Whether the response has them already. */
    complete: boolean;
  };
};
