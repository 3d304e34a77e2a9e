/** What a failure says about the connection, as against the statement: https://www.postgresql.org/docs/current/errcodes-appendix.html */

// Read-only all at once (a failover left this connection with a standby), shut down, crashed, starting; and class 08.
const UNFIT = /^(25006|57P0[1-5]|08...)$/;

// Out of resources, asked to stop, an operator's doing, a failure of the system, a conflict with others, a lock not to be had.
const UNAVAILABLE = /^(53...|57...|58...|40...|25006|55P03|08...)$/;

// MikroORM hands every error on as an exception of its own, without its cause.
const BARE = new Set(["Error", "AggregateError", "DriverException"]);

const TIMED_OUT = "ETIMEDOUT";

// Serialization failures and deadlocks.
const CONFLICT = /^(40001|40P01)$/;

/** What the driver adds to an error that the server sent: https://www.postgresql.org/docs/current/protocol-error-fields.html */
export type ServerError = Error & { code: string; severity: string; table?: unknown; constraint?: unknown };

/** Finds what the server said among the causes of an error; `null` where it said nothing. `code` is its SQLSTATE. */
export function serverErrorOf(error: unknown): ServerError | null {
  return causesOf(error).find(isServerError) ?? null;
}

/** Gives the SQLSTATE with which the server refused; `null` where it said nothing. */
export function sqlStateOf(error: unknown): string | null {
  return serverErrorOf(error)?.code ?? null;
}

function isServerError(error: Error): error is ServerError {
  return (
    "severity" in error &&
    "code" in error &&
    typeof error.code === "string" &&
    /^[\dA-Z]{5}$/.test(error.code)
  );
}

/**
 * Says whether the connection must not be used again: it was cut, nobody waits for its answer any more, or the server behind
 * it is no longer the one that takes writes.
 */
export function isConnectionUnfit(error: unknown): boolean {
  const state = sqlStateOf(error);
  return state === null ? isFromDriver(error) : UNFIT.test(state);
}

/** Says whether the database was not there, was overloaded or gave up: nothing is wrong with the statement. */
export function isDatabaseUnavailable(error: unknown): boolean {
  const state = sqlStateOf(error);
  return state === null ? isFromDriver(error) : UNAVAILABLE.test(state);
}

/** Says whether doing the same again on another connection may go well. A wait that was given up is not begun again. */
export function isTransient(error: unknown): boolean {
  const state = sqlStateOf(error);
  if (state !== null) return UNFIT.test(state) || CONFLICT.test(state);
  return isFromDriver(error) && !isTimedOut(error);
}

/** Marks an error of the driver as one of a wait that was given up, as Node marks its own. */
export function markTimedOut(error: unknown): void {
  if (error instanceof Error) Object.assign(error, { code: TIMED_OUT });
}

/** Gives the code of an error that the server did not say: Node's and OpenSSL's names. */
export function causeCode(error: unknown): string | null {
  for (const cause of causesOf(error)) {
    if ("code" in cause && typeof cause.code === "string") return cause.code;
  }
  return null;
}

function isTimedOut(error: unknown): boolean {
  return causeCode(error) === TIMED_OUT;
}

/**
 * Whether it is an error of the driver's own, which has no SQLSTATE because the server did not say it: sockets, name look-up, TLS,
 * the pool, time limits. Drivers throw bare errors for all of these in many words; ours, and programming errors, have classes.
 */
function isFromDriver(error: unknown): boolean {
  const root = [...causesOf(error)].at(-1);
  return root !== undefined && BARE.has(root.name);
}

/** The error, what caused it, and so on. */
function* causesOf(error: unknown): Generator<Error> {
  const seen = new Set<unknown>();
  for (let cause = error; cause instanceof Error && !seen.has(cause); cause = cause.cause) {
    seen.add(cause);
    yield cause;
  }
}
