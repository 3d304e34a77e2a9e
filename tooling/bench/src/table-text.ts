/** Lays rows out in columns; numbers go to the right. */
export function tableText(header: string[], rows: (string | number)[][]): string {
  const cells = [header, ...rows.map((row) => row.map(String))];
  const widths = header.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)));
  const line = (row: string[], isNumber: (column: number) => boolean) =>
    row
      .map((cell, column) =>
        isNumber(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!),
      )
      .join("  ")
      .trimEnd();
  const numeric = (column: number) => rows.every((row) => /^[\d.,]+$/.test(String(row[column])));
  return cells.map((row) => line(row, numeric)).join("\n");
}
