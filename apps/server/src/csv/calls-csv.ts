import { createLocalIso, type ListedCall } from "@usage-stats/core";
import { stringify } from "csv-stringify/sync";
import { guardFormula } from "./formula-guard.ts";

/** The columns of exported calls: what a call is made of, by its own names. */
export const CALL_COLUMNS = [
  "id",
  "userDid",
  "appDid",
  "providerId",
  "model",
  "type",
  "status",
  "callTime",
  "inputTokens",
  "outputTokens",
  "cachedInputTokens",
  "totalUsage",
  "credits",
  "durationMs",
  "ttfbMs",
  "errorReason",
  "requestId",
  "traceId",
  "metadata",
] as const satisfies (keyof ListedCall)[];

const CSV = { record_delimiter: "\r\n" } as const;

/**
 * Calls as CSV (RFC 4180, UTF-8), page by page: times in a zone's own time, what is unknown as nothing, and a guard before what a
 * spreadsheet would take for a formula. Our own import takes it back as it was. Throws `invalid_timezone` at once.
 */
export function callsCsv(pages: AsyncIterable<ListedCall[]>, timezone: string): AsyncGenerator<string> {
  const localTime = createLocalIso(timezone);
  return write();

  async function* write() {
    yield stringify([[...CALL_COLUMNS]], CSV);
    for await (const page of pages) yield stringify(page.map(rowOf), CSV);
  }

  function rowOf(call: ListedCall): string[] {
    return CALL_COLUMNS.map((column) => {
      const value = call[column];
      if (value === null) return "";
      if (value instanceof Date) return localTime(value);
      if (typeof value === "number") return String(value);
      return guardFormula(typeof value === "string" ? value : JSON.stringify(value));
    });
  }
}
