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
import { fineLookUps, type LookUps } from "./look-ups.ts";
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
};

/** Works out what ranks users by threshold. */
export function askThreshold(
  ranking: RankedAggregateQuery,
  everyone: AggregateQuery,
  reach: Reach,
): AskedThreshold {
  const { range, filter } = ranking;
  const series = { level: levelsOf(shapeOf(everyone)).series, tiles: [tilesOf(range)] };
  const weeks: number[] = [];
  for (let at = startOfGrain(range.from, "week").getTime(); at < range.to.getTime(); at += GRAIN_MS.week)
    weeks.push(at / GRAIN_MS.quarter);
  const types = filter.types?.map((type) => CALL_TYPE_CODES[type]) ?? Object.values(CALL_TYPE_CODES);
  return { ...askUsage(everyone), ranking, reach, usersFine: fineLookUps(series, false), weeks, types };
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
export const USERS_FINE_LOOK_UPS = sql`unnest(${place("smallint[]", ({ usersFine }) => usersFine.timeTypes)}, ${place("int[]", ({ usersFine }) => usersFine.from)}, ${place("int[]", ({ usersFine }) => usersFine.to)}) as look_up(time_type, lo, hi)`;
