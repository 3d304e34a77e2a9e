import sql, { empty, raw, type Sql } from "sql-template-tag";
import { STORED_LIST } from "../layout/stored-measures.ts";
import { EVERYONE } from "../layout/time-types.ts";
import {
  FINE_LOOK_UPS,
  GROUPS_LOOK_UPS,
  MODELS_LOOK_UPS,
  PAGE_FINE_LOOK_UPS,
  PAGE_LOOK_UPS,
  SERIES_LOOK_UPS,
  USER,
} from "./asked-usage.ts";
import { type RowSources } from "./answer-sql.ts";
import { andMatchesIds } from "./filter-sql.ts";
import { PARTS, type SharedPart } from "./look-ups.ts";
import { ITEM_OF_FINE } from "./named-items.ts";
import { unionAll } from "./union-all.ts";
import { levelsOf, type UsageShape } from "./usage-shape.ts";

/** The CTE of whose rollups answer; nobody's where nothing of theirs was ever rolled up. */
export const ME = sql`me as materialized (select id, slice_of(did) as slice from model_call_users where did = ${USER})`;

// Constants for a statement, so that the key is used whole.
const MINE = raw("user_id = (select id from me) and slice = (select slice from me)");
const ALL_TOGETHER = raw(`user_id = ${EVERYONE} and slice = 0`);

/** Holds for the rollup rows that answer: a user's, found by `ME`, or those of all users together. */
export function isAsked({ isEveryone }: Pick<UsageShape, "isEveryone">): Sql {
  return isEveryone ? ALL_TOGETHER : MINE;
}

/** What the rows of an answer depend on besides its shape. */
export type RowOptions = {
  /** Nothing is read unless this holds, which is looked at once. */
  onlyIf?: Sql | undefined;
  /** Whether there is a CTE `stale` of rows that take others away: `timestamp` and whatever fine rows have. */
  hasStale: boolean;
};

/** Writes the CTE of the fine rows that the parts of an answer share, each with its `parts`. */
export function fineCte(shape: UsageShape, onlyIf?: Sql): Sql {
  return sql`fine as materialized (${fineRows(isAsked(shape), shape, onlyIf)})`;
}

/**
 * Selects the rollup rows of each part of an answer, as the CTEs `ME` and `fineCte` find them; those of the series' groups only of the
 * CTE `top_items`.
 */
export function rowsOfParts(shape: UsageShape, { onlyIf, hasStale }: RowOptions): RowSources {
  const level = levelsOf(shape).groups;
  const mine = isAsked(shape);
  const coarse = (columns: string, lookUps: Sql, condition = empty) =>
    lookedUp(columns, lookUps, sql`${mine}${andMatchesIds(shape)}${condition}`, onlyIf);
  const part = (name: SharedPart, lookUps: Sql, columns: string, ofFine = columns) => {
    const fine = sql`select ${raw(ofFine)}, ${raw(STORED_LIST)} from fine where parts & ${raw(String(PARTS[name]))} <> 0`;
    const stale = sql`select ${raw(ofFine)}, ${raw(STORED_LIST)} from stale${raw(name === "series" ? "" : " where is_current")}`;
    return unionAll([coarse(columns, lookUps), fine, hasStale && stale]);
  };
  const item = `${ITEM_OF_FINE[level]} as item`;
  const isTop = (column: string) => sql` and ${raw(column)} = any(array(select item from top_items))`;
  return {
    series: part("series", SERIES_LOOK_UPS, "timestamp, type"),
    models: part("models", MODELS_LOOK_UPS, "model_id"),
    groups: part("groups", GROUPS_LOOK_UPS, "item", item),
    page: unionAll([
      coarse("timestamp, item", PAGE_LOOK_UPS, isTop("item")),
      coarse(`timestamp, ${item}`, PAGE_FINE_LOOK_UPS, isTop(ITEM_OF_FINE[level])),
      hasStale && sql`select timestamp, ${raw(item)}, ${raw(STORED_LIST)} from stale where is_current`,
    ]),
  };
}

/** Selects what every user used in the range from their own rollup rows, with `user_id`. */
export function rowsByUser(shape: UsageShape): Sql {
  const users = sql`user_id <> ${raw(String(EVERYONE))}`;
  const columns = raw(`user_id, ${STORED_LIST}`);
  return unionAll([
    lookedUp("user_id", SERIES_LOOK_UPS, sql`${users}${andMatchesIds({ ...shape, isEveryone: false })}`),
    sql`select ${columns} from (${fineRows(users, { ...shape, isEveryone: false })}) as fine where parts & ${raw(String(PARTS.series))} <> 0`,
    sql`select ${columns} from stale`,
  ]);
}

function fineRows(whose: Sql, shape: UsageShape, onlyIf?: Sql): Sql {
  const rows = lookUp("user_id, timestamp, type, model_id, item", sql`${whose}${andMatchesIds(shape)}`);
  return sql`select look_up.parts, found.* from ${FINE_LOOK_UPS} cross join lateral ${rows} as found${where(onlyIf)}`;
}

function lookedUp(columns: string, lookUps: Sql, condition: Sql, onlyIf?: Sql): Sql {
  return sql`select found.* from ${lookUps} cross join lateral ${lookUp(columns, condition)} as found${where(onlyIf)}`;
}

/** OFFSET 0 keeps the planner from turning the join around: each range is looked up by index. */
function lookUp(columns: string, condition: Sql): Sql {
  return sql`(
      select ${raw(columns)}, ${raw(STORED_LIST)} from model_call_stats
       where ${condition} and time_type = look_up.time_type and timestamp >= look_up.lo and timestamp < look_up.hi offset 0)`;
}

function where(onlyIf: Sql | undefined): Sql {
  return onlyIf === undefined ? empty : sql` where ${onlyIf}`;
}
