import { createLocalIso, type ListedCall } from "@usage-stats/core";
import { type Cell, csvText } from "./csv-text.ts";

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

/**
 * Calls as CSV (RFC 4180, UTF-8), page by page: times in a zone's own time, what is unknown as nothing, and a guard before what a
 * spreadsheet would take for a formula. Our own import takes it back as it was. The header comes with the first page, so that
 * what fails at once fails before anything was sent. Throws `invalid_timezone` at once.
 */
export function callsCsv(pages: AsyncIterable<ListedCall[]>, timezone: string): AsyncGenerator<string> {
  const localTime = createLocalIso(timezone);
  return write();

  async function* write() {
    let header: Cell[][] = [[...CALL_COLUMNS]];
    for await (const page of pages) {
      yield csvText([...header, ...page.map(rowOf)]);
      header = [];
    }
    if (header.length > 0) yield csvText(header);
  }

  function rowOf(call: ListedCall): Cell[] {
    return CALL_COLUMNS.map((column) => {
      const value = call[column];
      if (value instanceof Date) return localTime(value);
      return value !== null && typeof value === "object" ? JSON.stringify(value) : value;
    });
  }
}
