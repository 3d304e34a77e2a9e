/** What the original adds up. */
export type Sums = { totalUsage: number; totalCredits: number; totalCalls: number; successCalls: number };

/** One period added up in JavaScript, with floats for credits, as the original does. */
export type Totals = Sums & { byType: Map<string, Sums>; models: Map<string, number> };

export function emptyTotals(): Totals {
  return { ...noSums(), byType: new Map(), models: new Map() };
}

export function addTo(totals: Totals, rows: (Sums & { type: string })[]): void {
  for (const row of rows) {
    const ofType = totals.byType.get(row.type) ?? noSums();
    totals.byType.set(row.type, ofType);
    for (const sums of [totals, ofType]) {
      sums.totalUsage += row.totalUsage;
      sums.totalCredits += row.totalCredits;
      sums.totalCalls += row.totalCalls;
      sums.successCalls += row.successCalls;
    }
  }
}

function noSums(): Sums {
  return { totalUsage: 0, totalCredits: 0, totalCalls: 0, successCalls: 0 };
}
