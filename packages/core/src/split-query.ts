import { type AggregateQuery } from "./ports.ts";
import { type TimeRange } from "./range.ts";
import { groupsThatFit } from "./series-size.ts";
import { GRAIN_MS, startOfGrain } from "./tiles.ts";

// For transactions that began before a quarter was over, and for clocks that differ.
const SETTLE_MS = 60_000;

// A group that overtakes others within the remainder still finds its series in the history, if it was not far behind, and if so many
// series are no more than one answer may have.
const MORE_SERIES = 20;

/**
 * The instant before which calls are settled: their quarters of an hour are over, and whoever still changes one has caches
 * told of it. What happens after it changes all the time, and must be read live.
 */
export function settledUntil(now: Date): Date {
  return startOfGrain(new Date(now.getTime() - SETTLE_MS), "quarter");
}

/** Whether all calls of a range are settled. */
export function isSettled({ to }: Pick<TimeRange, "to">, now: Date): boolean {
  return to <= settledUntil(now);
}

export type SplitQuery = {
  /** The whole, settled quarters of both periods. Asked a second later, or from a second later, it is still the same. */
  history: AggregateQuery;
  /** The index that the history's first series bucket has in the query. */
  firstBucket: number;
  /** What the history leaves out of both periods: a few minutes at each end, and the time that is not settled. */
  remainder: TimeRange[];
};

/** Splits a query into history, which may be kept, and the remainder. `null` where there is hardly any history. */
export function splitQuery(query: AggregateQuery, now: Date): SplitQuery | null {
  const until = settledUntil(now);
  const range = wholeQuarters(query.range, until);
  if (range === null) return null;
  const previous = query.previous && wholeQuarters(query.previous, until);
  const { edges, firstBucket } = edgesWithin(query.edges, range);
  return {
    history: {
      ...query,
      range,
      previous,
      edges,
      settled: true,
      topN: groupsThatFit(edges.length - 1, query.topN, query.topN + MORE_SERIES),
    },
    firstBucket,
    remainder: [...(query.previous ? without(query.previous, previous) : []), ...without(query.range, range)],
  };
}

function wholeQuarters({ from, to }: TimeRange, until: Date): TimeRange | null {
  const start = Math.ceil(from.getTime() / GRAIN_MS.quarter) * GRAIN_MS.quarter;
  const end = Math.min(startOfGrain(to, "quarter").getTime(), until.getTime());
  return start < end ? { from: new Date(start), to: new Date(end) } : null;
}

function without({ from, to }: TimeRange, inner: TimeRange | null): TimeRange[] {
  if (inner === null) return [{ from, to }];
  return [
    { from, to: inner.from },
    { from: inner.to, to },
  ].filter((part) => part.from < part.to);
}

/** The edges of the buckets that reach into a range, cut off at its ends. */
function edgesWithin(edges: Date[], { from, to }: TimeRange): { edges: Date[]; firstBucket: number } {
  const first = edges.findIndex((_, i) => i + 1 < edges.length && edges[i + 1]! > from);
  const last = edges.findLastIndex((_, i) => i > 0 && edges[i - 1]! < to);
  if (first === -1 || last <= first) return { edges: [], firstBucket: 0 };
  const clip = (edge: Date) => (edge < from ? from : edge > to ? to : edge);
  return { edges: edges.slice(first, last + 1).map(clip), firstBucket: first };
}
