import { type GuardedOperation, type Identity } from "@usage-stats/api";
import { type RequestCache } from "@usage-stats/cache";
import { type DatabaseCost } from "@usage-stats/core";
import { type Spent } from "../limits/limiter.ts";
import { type RequestDeadline } from "./request-deadline.ts";

/** What every handler finds in Hono's context. */
export type AppEnv = {
  Variables: {
    requestId: string;
    deadline: RequestDeadline;
    /** What the answers of this request cost the database, filled in as they are made. */
    costs: DatabaseCost[];
    cache: RequestCache | null;
    /** What is asked for, once a handler has said it. */
    operation: GuardedOperation | undefined;
    /** Whether the request was counted with the address that it comes from. */
    isCounted: boolean | undefined;
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
