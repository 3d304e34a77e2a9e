import { UsageError } from "@usage-stats/core";

/** Reads a body of calls: a JSON array, or NDJSON with a call a line. Throws `bad_json` for what cannot be read, naming the line. */
export function readCallsBody(body: string, format: "json" | "ndjson"): unknown[] {
  if (format === "ndjson") return readLines(body);
  const value = parse(body, "The body is not JSON.", "body");
  if (Array.isArray(value)) return value as unknown[];
  throw new UsageError("bad_json", "The body must be a JSON array of calls.", { field: "body" });
}

function readLines(body: string): unknown[] {
  const calls: unknown[] = [];
  for (const [index, line] of body.split("\n").entries())
    if (line.trim() !== "") calls.push(parse(line, `Line ${index + 1} is not JSON.`, `line ${index + 1}`));
  return calls;
}

function parse(text: string, message: string, field: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new UsageError("bad_json", message, { field, cause });
  }
}
