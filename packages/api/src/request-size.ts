import {
  type ListCallsQuery,
  MAX_RUNS,
  seriesCells,
  UsageStatsError,
  type UsageStatsQuery,
} from "@usage-stats/core";

/** The most cells that the answers of one request may have together: 11 MB of usual names as JSON, written out in under a second. */
const MAX_REQUEST_CELLS = 40_000;
// A listed call may have 4 KB of metadata, and is written out as slowly as so many cells.
const CELLS_OF_A_CALL = 50;

/** Adds up how large the answers of one request may become, before any of them is read. Throws `batch_too_large`. */
export type RequestSize = {
  addSeries(query: UsageStatsQuery): void;
  addCalls(list: Pick<ListCallsQuery, "limit">): void;
  /** A run's tree or a conversation, however small. */
  addRuns(): void;
};

export function createRequestSize(): RequestSize {
  let cells = 0;

  function add(more: number): void {
    if (cells + more > MAX_REQUEST_CELLS)
      throw new UsageStatsError(
        "batch_too_large",
        "The questions of this request are too large to be answered together: ask this one by itself.",
        {
          field: "batch",
          limit: `${MAX_REQUEST_CELLS.toLocaleString("en")} buckets times groups, of which a listed call counts as ${CELLS_OF_A_CALL}`,
        },
      );
    cells += more;
  }

  return {
    addSeries: (query) => add(seriesCells(query)),
    addCalls: ({ limit }) => add(limit * CELLS_OF_A_CALL),
    addRuns: () => add(MAX_RUNS),
  };
}
