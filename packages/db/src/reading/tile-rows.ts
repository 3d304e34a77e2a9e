import sql, { empty, raw, type Sql } from "sql-template-tag";
import { USER, type UsageShape } from "./asked-usage.ts";
import { andMatchesFilter, filterColumns } from "./filter-sql.ts";
import { MEASURES } from "./measures-sql.ts";
import { ALL_USERS, LEVELS } from "./rollup-levels.ts";

/**
 * Selects the rollup rows of some runs, from the narrowest rollup that knows the dimensions asked for and filtered by; nothing unless
 * the condition `onlyIf`, which is looked at once.
 */
export function tileRows(shape: UsageShape, runs: Sql, dimensions: string[], onlyIf?: Sql): Sql {
  return rowsOf(sql`user_did = ${USER}`, shape, runs, dimensions, dimensions, onlyIf);
}

/** Selects the rollup rows of some runs of every user, with `user_did`. */
export function tileRowsByUser(shape: UsageShape, runs: Sql): Sql {
  return rowsOf(sql`user_did <> ${ALL_USERS}`, shape, runs, ["user_did"], []);
}

function rowsOf(
  whose: Sql,
  shape: UsageShape,
  runs: Sql,
  columnNames: string[],
  dimensions: string[],
  onlyIf?: Sql,
): Sql {
  const needed = [...dimensions, ...filterColumns(shape)];
  const level = LEVELS.find((candidate) =>
    needed.every((dimension) => candidate.dimensions.includes(dimension)),
  );
  if (level === undefined) throw new Error(`no rollup knows ${needed.join(", ")}`);
  const columns = raw(columnNames.map(readDimension).join(", "));
  // OFFSET 0 keeps the planner from turning the join around: each run is looked up by index.
  return sql`
    select tile.* from ${runs} cross join lateral (
      select timestamp as at, ${columns}, ${raw(MEASURES)} from ${raw(level.table)}
       where ${whose} and time_type = run.grain and timestamp >= run.lo and timestamp < run.hi${andMatchesFilter(shape)} offset 0) as tile
     ${onlyIf === undefined ? empty : sql`where ${onlyIf}`}`;
}

/** A primary key holds no null, so no app is '' in the rollups. */
function readDimension(column: string): string {
  return column === "app_did" ? "nullif(app_did, '') as app_did" : column;
}
