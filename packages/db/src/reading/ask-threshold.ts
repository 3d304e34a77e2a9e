import {
  type AggregateQuery,
  GRAIN_MS,
  type RankedAggregateQuery,
  startOfGrain,
  tilesOf,
} from "@usage-stats/core";
import sql, { raw, type Sql } from "sql-template-tag";
import { CALL_TYPE_CODES } from "../layout/call-type-codes.ts";
import { type AskedUsage, askUsage } from "./asked-usage.ts";
import { coarseLookUps, fineLookUps, type LookUps } from "./look-ups.ts";
import { Place } from "./statement-template.ts";
import { levelsOf, shapeOf } from "./usage-shape.ts";

/** How far a ranking by threshold looks. */
export type Reach = {
  /** How many users of each week and type are candidates for the page. */
  depth: number;
  /** The sums of how many candidates are looked up, beside those of whom something changed. */
  candidates: number;
  /** Of so many users something may have changed. */
  named: number;
};

/** A ranking's query, and what its statement reads: rows of all users together as an answer does, and rows of the candidates. */
export type AskedThreshold = AskedUsage & {
  ranking: RankedAggregateQuery;
  reach: Reach;
  /** The users' fine rows that are not in their coarser ones. */
  usersFine: LookUps;
  /** The weeks that the range touches, by their first quarters. */
  weeks: number[];
  types: number[];
  /** The whole days whose users are told by bits, as half-open runs of quarters; and the users' rows around them. */
  wholeDays: { from: number[]; to: number[] };
  edges: LookUps;
  edgesFine: LookUps;
};

/** Works out what ranks users by threshold. */
export function askThreshold(
  ranking: RankedAggregateQuery,
  everyone: AggregateQuery,
  reach: Reach,
): AskedThreshold {
  const { range, filter } = ranking;
  const { series: level } = levelsOf(shapeOf(everyone));
  const tiles = tilesOf(range);
  // A bit says that there are calls, not of which type.
  const runs = filter.types === undefined ? [...tiles.week, ...tiles.day] : [];
  const rest = filter.types === undefined ? { ...tiles, week: [], day: [] } : tiles;
  const weeks: number[] = [];
  for (let at = startOfGrain(range.from, "week").getTime(); at < range.to.getTime(); at += GRAIN_MS.week)
    weeks.push(at / GRAIN_MS.quarter);
  const types = filter.types?.map((type) => CALL_TYPE_CODES[type]) ?? Object.values(CALL_TYPE_CODES);
  return {
    ...askUsage(everyone),
    ranking,
    reach,
    usersFine: fineLookUps({ level, tiles: [tiles] }, false),
    weeks,
    types,
    wholeDays: { from: runs.map((run) => quarterOf(run.from)), to: runs.map((run) => quarterOf(run.to)) },
    edges: coarseLookUps({ level, tiles: [rest] }),
    edgesFine: fineLookUps({ level, tiles: [rest] }, false),
  };
}

function quarterOf(time: Date): number {
  return time.getTime() / GRAIN_MS.quarter;
}

function place(type: string, valueOf: (asked: AskedThreshold) => unknown): Sql {
  return sql`${new Place(valueOf)}${raw(`::${type}`)}`;
}

export const WEEKS = place("int[]", ({ weeks }) => weeks);
export const TYPES = place("int[]", ({ types }) => types);
export const DEPTH = place("int", ({ reach }) => reach.depth);
export const CANDIDATES = place("int", ({ reach }) => reach.candidates);
export const NAMED = place("int", ({ reach }) => reach.named);
export const LIMIT = place("int", ({ ranking }) => ranking.limit);
/** Where the page begins. */
export const AFTER = {
  value: place("numeric", ({ ranking }) => ranking.after!.value),
  key0: place("text", ({ ranking }) => ranking.after!.key[0]),
  key1: place("text", ({ ranking }) => ranking.after!.key[1]),
};
export const USERS_FINE_LOOK_UPS = lookUps(({ usersFine }) => usersFine);
export const EDGE_LOOK_UPS = lookUps(({ edges }) => edges);
export const EDGE_FINE_LOOK_UPS = lookUps(({ edgesFine }) => edgesFine);
export const WHOLE_DAYS = sql`unnest(${place("int[]", ({ wholeDays }) => wholeDays.from)}, ${place("int[]", ({ wholeDays }) => wholeDays.to)}) as run(lo, hi)`;

function lookUps(lookUpsIn: (asked: AskedThreshold) => LookUps): Sql {
  const timeTypes = place("smallint[]", (asked) => lookUpsIn(asked).timeTypes);
  const from = place("int[]", (asked) => lookUpsIn(asked).from);
  const to = place("int[]", (asked) => lookUpsIn(asked).to);
  return sql`unnest(${timeTypes}, ${from}, ${to}) as look_up(time_type, lo, hi)`;
}
