import { UsageStatsError } from "@usage-stats/core";
import { isDatabaseUnavailable } from "./connection/sqlstate.ts";

/** Turns a failure of the database itself into `unavailable`; any other error is given back as it is. */
export function databaseFailure(error: unknown): unknown {
  if (error instanceof UsageStatsError || !isDatabaseUnavailable(error)) return error;
  return new UsageStatsError("unavailable", "The database cannot answer at the moment. Try again shortly.", {
    cause: error,
  });
}
