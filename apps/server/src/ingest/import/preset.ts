/** Another program's table of calls, whose columns are known. */
export type Preset = {
  /** The program's name, for messages. */
  program: string;
  /** Every column of the table, also those that have no place in a call. */
  columns: ReadonlySet<string>;
  /** Columns that no call can be made without. */
  required: readonly string[];
  /** Makes of a row what a gateway would send. Never throws. */
  shape: (row: unknown) => unknown;
};

/** The names in a row that the table does not have, and nobody said to leave out. */
export function unreadNames(row: unknown, { columns }: Preset, ignored: ReadonlySet<string>): string[] {
  if (typeof row !== "object" || row === null || Array.isArray(row)) return [];
  return Object.keys(row).filter((name) => !columns.has(name) && !ignored.has(name));
}
