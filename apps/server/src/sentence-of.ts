import { UsageStatsError } from "@usage-stats/core";
import { CannotRollUp, ConnectionRefusal, explainFailure } from "@usage-stats/db";
import { databaseUrlOrNull } from "./env.ts";
import { OperatorError } from "./operator-error.ts";

/** What the person who runs this can mend, in words; `null` where only the stack tells. */
export function sentenceOf(error: unknown): string | null {
  // Its message was made for them, and says more than what caused it.
  if (error instanceof OperatorError) return error.message;
  const url = databaseUrlOrNull();
  const cause = error instanceof UsageStatsError && error.code === "unavailable" ? error.cause : error;
  const explained = url === null ? null : explainFailure(cause, url);
  if (explained !== null) return explained;
  const isExpected =
    error instanceof UsageStatsError || error instanceof ConnectionRefusal || error instanceof CannotRollUp;
  return isExpected ? error.message : null;
}
