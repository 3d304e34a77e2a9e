import { UsageError } from "@usage-stats/core";

// SQLSTATE classes in which the database was not there, was overloaded or gave up, as against a statement that is wrong:
// https://www.postgresql.org/docs/current/errcodes-appendix.html
const UNAVAILABLE = /^(08|53|57|58|40|25006|55P03)/;
const NETWORK = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "ENOTFOUND",
  "EHOSTUNREACH",
  "EAI_AGAIN",
]);

/** Turns a failure of the database itself into `unavailable`; any other error is given back as it is. */
export function databaseFailure(error: unknown): unknown {
  if (!isUnavailable(error)) return error;
  return new UsageError("unavailable", "The database cannot answer at the moment. Try again shortly.", {
    cause: error,
  });
}

function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = "code" in error ? String(error.code) : "";
  if (UNAVAILABLE.test(code) || NETWORK.has(code)) return true;
  if (
    /connection terminated|timeout exceeded when trying to connect|pool is (draining|closed)/i.test(
      error.message,
    )
  )
    return true;
  return error.cause !== undefined && error.cause !== error && isUnavailable(error.cause);
}
