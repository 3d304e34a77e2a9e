import { UsageError } from "@usage-stats/core";
import { createProgram } from "./commands/program.ts";
import { OperatorError } from "./operator-error.ts";

try {
  await createProgram().parseAsync();
} catch (error) {
  const expected = error instanceof UsageError || error instanceof OperatorError;
  console.error(expected ? `usage-stats: ${error.message}` : error);
  process.exitCode = 1;
}
