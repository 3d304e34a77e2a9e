import { UsageError } from "@usage-stats/core";
import { CannotRollUp, ConnectionRefusal, explainFailure } from "@usage-stats/db";
import { createProgram } from "./commands/program.ts";
import { databaseUrlOrNull } from "./env.ts";
import { OperatorError } from "./operator-error.ts";

try {
  await createProgram().parseAsync();
} catch (error) {
  const sentence = sentenceOf(error);
  console.error(sentence === null ? error : `usage-stats: ${sentence}`);
  process.exitCode = 1;
}

/** What the person who runs this can mend, in words; `null` where only the stack tells. */
function sentenceOf(error: unknown): string | null {
  const url = databaseUrlOrNull();
  const cause = error instanceof UsageError && error.code === "unavailable" ? error.cause : error;
  const explained = url === null ? null : explainFailure(cause, url);
  if (explained !== null) return explained;
  const isExpected =
    error instanceof UsageError ||
    error instanceof OperatorError ||
    error instanceof ConnectionRefusal ||
    error instanceof CannotRollUp;
  return isExpected ? error.message : null;
}
