import { type DatabaseCost } from "@usage-stats/core";

/** What every handler finds in Hono's context. */
export type AppEnv = { Variables: { requestId: string; costs: DatabaseCost[] } };
