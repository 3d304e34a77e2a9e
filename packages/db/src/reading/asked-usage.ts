import {
  type AggregateQuery,
  type CallType,
  GRAIN_MS,
  startOfGrain,
  type Tiles,
  tilesOf,
  type TimeRange,
} from "@usage-stats/core";
import sql, { raw, type Sql } from "sql-template-tag";
import { CALL_TYPE_CODES } from "../layout/call-type-codes.ts";
import { instant, instants } from "./instant-sql.ts";
import {
  coarseLookUps,
  fineLookUps,
  type LookUps,
  sharedFineLookUps,
  type SharedLookUps,
} from "./look-ups.ts";
import { Place } from "./statement-template.ts";
import { type FilterField, levelsOf, listOf, shapeOf } from "./usage-shape.ts";

/** A query, and the parts of time that its statement reads. */
export type AskedUsage = {
  query: AggregateQuery;
  /** The coarser rows of both periods, none across an edge of the series. */
  series: LookUps;
  /** Those of the range, for its models and for its groups. */
  models: LookUps;
  groups: LookUps;
  /** The fine rows of all three. */
  fine: SharedLookUps;
  /** The rows of the series' groups, none across an edge of it. */
  page: LookUps;
  pageFine: LookUps;
  /** What no rollup bucket of both periods fits into. */
  partialEdges: TimeRange[];
  /** The only parts of both periods whose calls are added up, where not all are. */
  parts: TimeRange[];
};

const NO_TILES: Tiles = { week: [], day: [], hour: [], quarter: [], partialEdges: [] };
const NO_LOOK_UPS: LookUps = { timeTypes: [], from: [], to: [] };

/** Works out which parts of time answer a query; from every user's own rows where `byUser`. */
export function askUsage(query: AggregateQuery, { byUser = false } = {}): AskedUsage {
  const { range, previous, edges, groupBy } = query;
  const levels = levelsOf(shapeOf(query));
  const isDense = query.userDid === null && !byUser;
  const current = tilesOf(range);
  const before = previous === null ? NO_TILES : tilesOf(previous);
  const series = {
    level: levels.series,
    tiles: [before, edges.length === 0 ? current : tilesOf(range, edges)],
  };
  const models = { level: levels.models, tiles: [current] };
  const isGrouped = groupBy.length > 0;
  const groups = { level: levels.groups, tiles: isGrouped ? [current] : [] };
  const hasPage = isGrouped && edges.length > 0;
  const page = {
    level: levels.groups,
    tiles: hasPage ? [tilesOf({ from: edges[0]!, to: edges.at(-1)! }, edges)] : [],
  };
  return {
    query,
    series: coarseLookUps(series),
    models: coarseLookUps(models),
    groups: coarseLookUps(groups),
    fine: sharedFineLookUps({ series, models, groups }, isDense),
    page: coarseLookUps(page),
    pageFine: fineLookUps(page, isDense),
    partialEdges: [...before.partialEdges, ...current.partialEdges],
    parts: [],
  };
}

/** Asks for the calls in some parts of a query's periods. */
export function askParts(query: AggregateQuery, parts: TimeRange[]): AskedUsage {
  const none = NO_LOOK_UPS;
  const fine = { ...none, parts: [] };
  return {
    query,
    series: none,
    models: none,
    groups: none,
    fine,
    page: none,
    pageFine: none,
    partialEdges: [],
    parts,
  };
}

function place(type: string, valueOf: (asked: AskedUsage) => unknown): Sql {
  return sql`${new Place(valueOf)}${raw(`::${type}`)}`;
}

/** Whose rollups answer, if not those of all users together. */
export const USER = place("text", ({ query }) => query.userDid);
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

/** The same in whole quarters of an hour, as rollups tell the time: the first that begins at an instant or after it. */
export const FROM_QUARTER = place("int", ({ query }) => quarterFrom(query.range.from));
export const TO_QUARTER = place("int", ({ query }) => quarterFrom(query.range.to));
export const EDGE_QUARTERS = place("int[]", ({ query }) => query.edges.map(quarterFrom));
export const FIRST_EDGE_QUARTER = place("int", ({ query }) => quarterFrom(query.edges[0]!));
export const LAST_EDGE_QUARTER = place("int", ({ query }) => quarterFrom(query.edges.at(-1)!));
/** The week that holds where the earlier of both periods begins. */
export const SPAN_WEEK = place("int", ({ query }) => quarterFrom(startOfGrain(spanFrom(query), "week")));

/** Subqueries of look-ups: `time_type`, and the half-open `lo` to `hi`; `parts` too, where parts of the answer share them. */
export const SERIES_LOOK_UPS = lookUps(({ series }) => series);
export const MODELS_LOOK_UPS = lookUps(({ models }) => models);
export const GROUPS_LOOK_UPS = lookUps(({ groups }) => groups);
export const PAGE_LOOK_UPS = lookUps(({ page }) => page);
export const PAGE_FINE_LOOK_UPS = lookUps(({ pageFine }) => pageFine);
export const FINE_LOOK_UPS = sql`unnest(${place("smallint[]", ({ fine }) => fine.timeTypes)}, ${place("int[]", ({ fine }) => fine.from)}, ${place("int[]", ({ fine }) => fine.to)}, ${place("int[]", ({ fine }) => fine.parts)}) as look_up(time_type, lo, hi, parts)`;

/** Subqueries of the parts of time whose calls are read: `lo` to `hi`. */
export const PARTIAL_EDGES = ranges(({ partialEdges }) => partialEdges);
export const PARTS_OF_TIME = ranges(({ parts }) => parts);
export const PARTIAL_QUARTERS = place("timestamptz[]", ({ partialEdges }) =>
  instants(partialEdges.map(({ from }) => startOfGrain(from, "quarter"))),
);

// One place for each, so that its list is sent once.
const FILTER_LISTS = new Map<FilterField, Sql>();

/** The list of a filter for a field. */
export function filterList(field: FilterField): Sql {
  const known = FILTER_LISTS.get(field);
  if (known !== undefined) return known;
  const made = place("text[]", ({ query }) => listOf(query.filter, field));
  FILTER_LISTS.set(field, made);
  return made;
}

/** Its types as rollups write them. */
export const TYPE_CODES = place("smallint[]", ({ query }) =>
  query.filter.types?.map((type: CallType) => CALL_TYPE_CODES[type]),
);

function spanFrom({ range, previous }: AggregateQuery): Date {
  return previous?.from ?? range.from;
}

function quarterFrom(time: Date): number {
  return Math.ceil(time.getTime() / GRAIN_MS.quarter);
}

function lookUps(lookUpsIn: (asked: AskedUsage) => LookUps): Sql {
  const timeTypes = place("smallint[]", (asked) => lookUpsIn(asked).timeTypes);
  const from = place("int[]", (asked) => lookUpsIn(asked).from);
  const to = place("int[]", (asked) => lookUpsIn(asked).to);
  return sql`unnest(${timeTypes}, ${from}, ${to}) as look_up(time_type, lo, hi)`;
}

function ranges(rangesIn: (asked: AskedUsage) => TimeRange[]): Sql {
  const from = place("timestamptz[]", (asked) => instants(rangesIn(asked).map((range) => range.from)));
  const to = place("timestamptz[]", (asked) => instants(rangesIn(asked).map((range) => range.to)));
  return sql`unnest(${from}, ${to}) as part(lo, hi)`;
}
