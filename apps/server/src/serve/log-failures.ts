import { UsageError } from "@usage-stats/core";
import { ConnectionRefusal, databaseFailure } from "@usage-stats/db";

/** Logs what fails in the background, which goes on: a database that is not there in one line, anything else with its stack. */
export function logFailuresOf(what: string, log: (text: string) => void): (error: unknown) => void {
  return (error) => log(`${what} failed: ${reasonOf(error)}`);
}

/** Never a whole error of a library, which may hold a statement and its parameters. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof ConnectionRefusal) return error.message;
  const cause = innermost(error);
  const reason = [firstLine(cause), codeOf(cause)].join("");
  const failure = databaseFailure(error);
  if (failure instanceof UsageError) return `${reason}. It is tried again.`;
  const frames = (error.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line));
  return [`${error.name}: ${reason}`, ...frames].join("\n");
}

/** The error that the others were made of: MikroORM puts the statement before its message. */
function innermost(error: Error): Error {
  let cause = error;
  while (cause.cause instanceof Error && cause.cause !== cause) cause = cause.cause;
  return cause;
}

function firstLine({ message }: Error): string {
  return message.split("\n")[0]!.replace(/\.$/, "");
}

function codeOf(error: Error): string {
  const code = "code" in error ? String(error.code) : "";
  return code === "" || error.message.includes(code) ? "" : ` (${code})`;
}
