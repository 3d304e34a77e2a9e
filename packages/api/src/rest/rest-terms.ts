import { UsageStatsError } from "@usage-stats/core";

/** Names the REST parameter where an error of the core names its own. */
export function inRestTerms(error: unknown): unknown {
  if (!(error instanceof UsageStatsError)) return error;
  const field = error.field === "from" ? "startTime" : error.field === "to" ? "endTime" : undefined;
  if (field === undefined) return error;
  const details = { field, cause: error, ...(error.limit !== undefined && { limit: error.limit }) };
  return new UsageStatsError(error.code, error.message.replace(/^(from|to) /, `${field} `), details);
}
