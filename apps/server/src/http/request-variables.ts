import { type RequestCache } from "@usage-stats/cache";
import { type DatabaseCost } from "@usage-stats/core";

/** What every handler finds in Hono's context. */
export type AppEnv = {
  Variables: {
    requestId: string;
    /** What the answers of this request cost the database, filled in as they are made. */
    costs: DatabaseCost[];
    cache: RequestCache | null;
    /** The headers that the response has to have, once it is known. */
    headersOf: () => Record<string, string>;
    /** Whether the response has them already. */
    complete: boolean;
  };
};
