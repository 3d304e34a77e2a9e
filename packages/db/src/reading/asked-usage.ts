import {
  type AggregateQuery,
  type GroupDimension,
  type RankingMetric,
  type UsageFilter,
  startOfGrain,
  type Tiles,
  tilesOf,
  type TimeRange,
  type Grain,
  GRAINS,
} from "@usage-stats/core";
import sql, { raw, type Sql } from "sql-template-tag";
import { instant, instants } from "./instant-sql.ts";
import { ALL_USERS } from "./rollup-levels.ts";
import { Place } from "./statement-template.ts";

/** What the text of a statement depends on; everything else of a question is a value. */
export type UsageShape = {
  isEveryone: boolean;
  groupBy: GroupDimension[];
  filter: (keyof UsageFilter)[];
  rankBy: RankingMetric;
  /** Whether the series covers the whole range. */
  series: "none" | "part" | "whole";
};

/** Gives the shape of a query. */
export function shapeOf({ userDid, range, groupBy, filter, rankBy, edges }: AggregateQuery): UsageShape {
  const [first, last] = [edges[0], edges.at(-1)];
  const isWhole = Number(first) === Number(range.from) && Number(last) === Number(range.to);
  return {
    isEveryone: userDid === null,
    groupBy,
    filter: fieldsOf(filter),
    rankBy,
    series: isWhole ? "whole" : first === undefined ? "none" : "part",
  };
}

/** Runs of rollup buckets, as a statement takes them: each from an instant on, to another. */
type Runs = { grains: Grain[]; from: string[]; to: string[] };

/** Gives the fields of a filter that have a list. */
export function fieldsOf(filter: UsageFilter): (keyof UsageFilter)[] {
  const fields = Object.keys(FILTER) as (keyof UsageFilter)[];
  return fields.filter((field) => filter[field] !== undefined);
}

/** A query, and the parts of time that its statement reads. */
export type AskedUsage = {
  query: AggregateQuery;
  /** The rollup buckets of both periods, none across an edge of the series. */
  series: Runs;
  /** Those of the range. */
  current: Runs;
  /** Those of the series, none across an edge of it. */
  page: Runs;
  /** What no rollup bucket of both periods fits into. */
  partialEdges: TimeRange[];
  /** The only parts of both periods whose calls are added up, where not all are. */
  parts: TimeRange[];
};

/** Works out which parts of time answer a query. */
export function askUsage(query: AggregateQuery): AskedUsage {
  const { range, previous, edges, groupBy } = query;
  const current = tilesOf(range);
  const before = previous === null ? NO_TILES : tilesOf(previous);
  const [first, last] = [edges[0], edges.at(-1)];
  return {
    query,
    series: runsOf(before, edges.length === 0 ? current : tilesOf(range, edges)),
    current: runsOf(current),
    page:
      groupBy.length === 0 || first === undefined
        ? NO_RUNS
        : runsOf(tilesOf({ from: first, to: last! }, edges)),
    partialEdges: [...before.partialEdges, ...current.partialEdges],
    parts: [],
  };
}

/** Asks for the calls in some parts of a query's periods. */
export function askParts(query: AggregateQuery, parts: TimeRange[]): AskedUsage {
  return { query, series: NO_RUNS, current: NO_RUNS, page: NO_RUNS, partialEdges: [], parts };
}

const NO_TILES: Tiles = { day: [], hour: [], quarter: [], partialEdges: [] };

const NO_RUNS: Runs = { grains: [], from: [], to: [] };

function runsOf(...all: Tiles[]): Runs {
  const ordered = GRAINS.flatMap((grain) =>
    all.flatMap((tiles) => tiles[grain].map((run) => ({ grain, ...run }))),
  );
  return {
    grains: ordered.map(({ grain }) => grain),
    from: instants(ordered.map(({ from }) => from)),
    to: instants(ordered.map(({ to }) => to)),
  };
}

function place(type: string, valueOf: (asked: AskedUsage) => unknown): Sql {
  return sql`${new Place(valueOf)}${raw(`::${type}`)}`;
}

/** Whose rollups answer. */
export const USER = place("text", ({ query }) => query.userDid ?? ALL_USERS);
export const FROM = place("timestamptz", ({ query }) => instant(query.range.from));
export const TO = place("timestamptz", ({ query }) => instant(query.range.to));
/** Where the earlier of both periods begins, and the quarter of an hour that holds it. */
export const SPAN_FROM = place("timestamptz", ({ query }) => instant(spanFrom(query)));
export const SPAN_QUARTER = place("timestamptz", ({ query }) =>
  instant(startOfGrain(spanFrom(query), "quarter")),
);
/** Where the period before ends; where the range starts, if there is none before. */
export const PREVIOUS_TO = place("timestamptz", ({ query }) =>
  instant(query.previous?.to ?? query.range.from),
);
export const TOP_N = place("int", ({ query }) => query.topN);

export const EDGES = place("timestamptz[]", ({ query }) => instants(query.edges));
export const FIRST_EDGE = place("timestamptz", ({ query }) => instant(query.edges[0]!));
export const LAST_EDGE = place("timestamptz", ({ query }) => instant(query.edges.at(-1)!));

/** A subquery of runs of rollup buckets: `grain`, and the half-open `lo` to `hi`. */
export const SERIES_RUNS = runs(({ series }) => series);
export const CURRENT_RUNS = runs(({ current }) => current);
export const PAGE_RUNS = runs(({ page }) => page);

/** Subqueries of the parts of time whose calls are read: `lo` to `hi`. */
export const PARTIAL_EDGES = ranges(({ partialEdges }) => partialEdges);
export const PARTS = ranges(({ parts }) => parts);
export const PARTIAL_QUARTERS = place("timestamptz[]", ({ partialEdges }) =>
  instants(partialEdges.map(({ from }) => startOfGrain(from, "quarter"))),
);

/** The lists of a filter, by the field. */
export const FILTER: Record<keyof UsageFilter, Sql> = {
  appDids: place("text[]", ({ query }) => query.filter.appDids),
  providerIds: place("text[]", ({ query }) => query.filter.providerIds),
  models: place("text[]", ({ query }) => query.filter.models),
  types: place("text[]", ({ query }) => query.filter.types),
  status: place("text[]", ({ query }) => query.filter.status),
};

function spanFrom({ range, previous }: AggregateQuery): Date {
  return previous?.from ?? range.from;
}

function runs(runsIn: (asked: AskedUsage) => Runs): Sql {
  const grains = place("text[]", (asked) => runsIn(asked).grains);
  const from = place("timestamptz[]", (asked) => runsIn(asked).from);
  const to = place("timestamptz[]", (asked) => runsIn(asked).to);
  return sql`unnest(${grains}, ${from}, ${to}) as run(grain, lo, hi)`;
}

function ranges(rangesIn: (asked: AskedUsage) => TimeRange[]): Sql {
  const from = place("timestamptz[]", (asked) => instants(rangesIn(asked).map((range) => range.from)));
  const to = place("timestamptz[]", (asked) => instants(rangesIn(asked).map((range) => range.to)));
  return sql`unnest(${from}, ${to}) as part(lo, hi)`;
}
