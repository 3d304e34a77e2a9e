import { UsageStatsError } from "@usage-stats/core";
import { tooManyCalls } from "./record-calls.ts";
import { parseJson } from "../rest/read-body.ts";

/**
 * Reads a body of calls: a JSON array, or NDJSON with a call a line. Throws `bad_json` for what cannot be read, naming the line, and
 * `batch_too_large` for more than `maxCalls`, of which the lines that are too many are not read.
 */
export function readCallsBody(body: string, format: "json" | "ndjson", maxCalls: number): unknown[] {
  if (format === "ndjson") return readLines(body, maxCalls);
  const value = parseJson(body, "The body is not JSON.", "body");
  if (Array.isArray(value)) return value as unknown[];
  throw new UsageStatsError("bad_json", "The body must be a JSON array of calls.", { field: "body" });
}

function readLines(body: string, maxCalls: number): unknown[] {
  const calls: unknown[] = [];
  let number = 0;
  for (let start = 0; start < body.length; number += 1) {
    const end = body.indexOf("\n", start);
    const line = body.slice(start, end === -1 ? undefined : end);
    start = end === -1 ? body.length : end + 1;
    if (line.trim() === "") continue;
    if (calls.length === maxCalls) throw tooManyCalls(maxCalls, `more than ${maxCalls}`);
    calls.push(parseJson(line, `Line ${number + 1} is not JSON.`, `line ${number + 1}`));
  }
  return calls;
}
