import sql, { empty, raw, type Sql } from "sql-template-tag";
import { STORED_LIST } from "../layout/stored-measures.ts";
import { type RowSources } from "./answer-sql.ts";
import { isAsked, lookedUp, OF_USERS, TIME_TYPE } from "./asked-rows.ts";
import {
  FINE_LOOK_UPS,
  GROUPS_LOOK_UPS,
  MODELS_LOOK_UPS,
  PAGE_FINE_LOOK_UPS,
  PAGE_LOOK_UPS,
  SERIES_LOOK_UPS,
} from "./asked-usage.ts";
import { andMatchesIds } from "./filter-sql.ts";
import { fineRows } from "./fine-rows.ts";
import { PARTS, type SharedPart } from "./look-ups.ts";
import { ITEM_OF_FINE } from "./named-items.ts";
import { unionAll } from "./union-all.ts";
import { levelsOf, type UsageShape } from "./usage-shape.ts";

/** What the rows of an answer depend on besides its shape. */
export type RowOptions = {
  /** Nothing is read unless this holds, which is looked at once. */
  onlyIf?: Sql | undefined;
  /** Whether there is a CTE `stale` of rows that take others away: `timestamp`, `is_current`, and whatever fine rows have. */
  hasStale: boolean;
};

/** Writes the CTE of the fine rows that the parts of an answer share, each with its `parts`. */
export function fineCte(shape: UsageShape, onlyIf?: Sql): Sql {
  return sql`fine as materialized (${fineRows(shape, FINE_LOOK_UPS, { onlyIf })})`;
}

/**
 * Selects the rollup rows of each part of an answer, as the CTEs `ME` and `fineCte` find them; those of the series' groups only of the
 * CTE `top_items`.
 */
export function rowsOfParts(shape: UsageShape, { onlyIf, hasStale }: RowOptions): RowSources {
  const ofFine = ITEM_OF_FINE[levelsOf(shape).groups];
  const from = (rows: Sql, columns: string, condition: string) =>
    sql`select ${raw(columns)}, ${raw(STORED_LIST)} from ${rows} where ${raw(condition)}`;
  const coarse = (columns: string, lookUps: Sql, condition = empty) => {
    const mine = sql`${isAsked(shape)}${andMatchesIds(shape)}${condition}`;
    return sql`select ${raw(columns)}, ${raw(STORED_LIST)} from (${lookedUp(columns, lookUps, mine, { onlyIf })}) as coarse`;
  };
  const part = (name: SharedPart, lookUps: Sql, columns: string, fromFine = columns) =>
    unionAll([
      coarse(columns, lookUps),
      from(raw("fine"), fromFine, `parts & ${PARTS[name]} <> 0`),
      hasStale && from(raw("stale"), fromFine, name === "series" ? "true" : "is_current"),
    ]);
  const andIsTop = (item: Sql) => sql` and ${item} = any(array(select item from top_items))`;
  const pageFine = fineRows(shape, PAGE_FINE_LOOK_UPS, { onlyIf, andItem: andIsTop });
  return {
    series: part("series", SERIES_LOOK_UPS, "timestamp, type"),
    models: part("models", MODELS_LOOK_UPS, "model_id"),
    groups: part("groups", GROUPS_LOOK_UPS, "item", `${ofFine} as item`),
    page: unionAll([
      coarse("timestamp, item", PAGE_LOOK_UPS, andIsTop(raw("item"))),
      from(sql`(${pageFine}) as fine`, `timestamp, ${ofFine} as item`, "true"),
      hasStale && from(raw("stale"), `timestamp, ${ofFine} as item`, "is_current"),
    ]),
  };
}

/** Selects what every user used in the range from their own rollup rows, and `stale`, with `user_id`. */
export function rowsByUser(shape: UsageShape): Sql {
  const condition = sql`${OF_USERS}${andMatchesIds({ ...shape, isEveryone: false })}`;
  const columns = raw(`user_id, ${STORED_LIST}`);
  const rows = (lookUps: Sql) => lookedUp("user_id", lookUps, condition, { timeType: TIME_TYPE });
  return unionAll([
    sql`select ${columns} from (${rows(SERIES_LOOK_UPS)}) as coarse`,
    sql`select ${columns} from (${rows(FINE_LOOK_UPS)}) as fine where parts & ${raw(String(PARTS.series))} <> 0`,
    sql`select ${columns} from stale`,
  ]);
}
