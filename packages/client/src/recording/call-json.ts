/**
 * A call as the JSON that is sent: what is `undefined` is left out (unknown), a `Date` is an ISO instant, a `bigint` a number.
 * What JSON would turn into `null`, and so into "unknown", stays what it is, for the server to reject. `null` for a value that
 * cannot be JSON.
 */
export function callJson(call: unknown): string | null {
  try {
    return JSON.stringify(call, plain) ?? null;
  } catch {
    return null;
  }
}

function plain(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  return value;
}
