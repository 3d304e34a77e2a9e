/** Why an operation failed, in words of our own. */
export type StoreFailureKind = "timeout" | "network" | "refused" | "unreadable" | "unexpected";

/**
 * That the store failed, and how. What it was asked and what it answered are nowhere in it: other libraries put the whole command
 * into their errors, with users' answers in it, and whatever came back.
 */
export class StoreFailure extends Error {
  override readonly name = "StoreFailure";
  readonly kind: StoreFailureKind;
  /** Such as ECONNREFUSED of the network, or WRONGPASS of Redis. */
  readonly code: string | null;

  constructor(kind: StoreFailureKind, message: string, code: string | null = null) {
    super(message);
    this.kind = kind;
    this.code = code;
  }
}

/** What Redis says first when it refuses: https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors */
const REDIS_CODES = new Set(
  (
    "ERR WRONGPASS NOAUTH NOPERM WRONGTYPE OOM READONLY BUSY LOADING MISCONF NOSCRIPT NOREPLICAS MASTERDOWN CLUSTERDOWN " +
    "TRYAGAIN MOVED ASK EXECABORT UNKILLABLE"
  ).split(" "),
);

/** What is known of any error that a store throws, by what cannot hold anybody's data. */
export function storeFailureOf(error: unknown): StoreFailure {
  if (error instanceof StoreFailure) return error;
  if (!(error instanceof Error)) return new StoreFailure("unexpected", "it failed");
  if (error.name === "TimeoutError") return new StoreFailure("timeout", "no answer in time");
  if (error.name === "UpstashJSONParseError" || error instanceof SyntaxError)
    return new StoreFailure("unreadable", "the answer is not JSON");
  if (error.name === "UpstashError") return refusal(error.message);
  const code = networkCode(error) ?? networkCode(error.cause);
  if (code !== null) return new StoreFailure("network", `no connection (${code})`, code);
  return new StoreFailure("unexpected", "it failed in a way that is not known");
}

function refusal(message: string): StoreFailure {
  // "Command failed: …" is of one command among several.
  const said = message.replace(/^Command failed: /, "");
  const code = /^[A-Z]+/.exec(said)?.[0] ?? "";
  if (!REDIS_CODES.has(code)) return new StoreFailure("refused", "it was refused");
  const limit = /^ERR max ([a-z ]{1,40}) exceeded/.exec(said)?.[1];
  const why = limit === undefined ? "" : `, max ${limit} exceeded`;
  return new StoreFailure("refused", `it was refused (${code}${why})`, code);
}

function networkCode(error: unknown): string | null {
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string") return null;
  return /^[A-Z][A-Z_]{2,40}$/.test(error.code) ? error.code : null;
}
