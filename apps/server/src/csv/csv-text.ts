import { stringify } from "csv-stringify/sync";
import { guardFormula } from "./formula-guard.ts";

/** What a cell holds: text may say anything, numbers and times are ours; `null` is unknown. */
export type Cell = string | number | null;

// Whatever some reader would take for an end of the field or of the line, or cut off. Quotes and commas are quoted anyway.
const QUOTED = /[\p{Cc}\p{Zl}\p{Zp};]|^\s|\s$/u;

/** The byte order mark by which Excel knows UTF-8. */
export const BYTE_ORDER_MARK = "\uFEFF";

/** Rows as CSV (RFC 4180): whatever is text is guarded against being run, and quoted where any reader might misread it. */
export function csvText(rows: readonly (readonly Cell[])[]): string {
  const cells = rows.map((row) =>
    row.map((cell) => (typeof cell === "string" ? guardFormula(cell) : cell === null ? "" : String(cell))),
  );
  return stringify(cells, { record_delimiter: "\r\n", quoted_match: QUOTED });
}
