import { CALL_FIELD_NAMES, createLocalIso, type ListedCall } from "@usage-stats/core";
import { type Cell, csvText } from "../csv/csv-text.ts";

/**
 * Calls as CSV (RFC 4180, UTF-8), page by page, a column for each field: times in a zone's own time, what is unknown as nothing, and a guard before what a
 * spreadsheet would take for a formula. Our own import takes it back as it was. The header comes with the first page, so that
 * what fails at once fails before anything was sent. Throws `invalid_timezone` at once.
 */
export function callsCsv(pages: AsyncIterable<ListedCall[]>, timezone: string): AsyncGenerator<string> {
  const localTime = createLocalIso(timezone);
  return write();

  async function* write() {
    let header: Cell[][] = [[...CALL_FIELD_NAMES]];
    for await (const page of pages) {
      yield csvText([...header, ...page.map(rowOf)]);
      header = [];
    }
    if (header.length > 0) yield csvText(header);
  }

  function rowOf(call: ListedCall): Cell[] {
    return CALL_FIELD_NAMES.map((name) => {
      const value = call[name];
      if (value instanceof Date) return localTime(value);
      return value !== null && typeof value === "object" ? JSON.stringify(value) : value;
    });
  }
}
