import { type Grain, GRAINS, type Tiles, type UsageFilter, type AggregateQuery } from "@usage-stats/core";
import sql, { join, raw, type Sql } from "sql-template-tag";
import { andMatches, filterColumns } from "./filter-sql.ts";
import { instants } from "./instant-sql.ts";
import { MEASURES } from "./measures-sql.ts";

export type Level = { table: string; dimensions: string[] };

/** The rollups, narrowest first: each knows the dimensions of the one before and more, and has more rows. */
export const LEVELS: Level[] = [
  { table: "model_call_stats", dimensions: ["type"] },
  { table: "model_call_model_stats", dimensions: ["type", "provider_id", "model"] },
  { table: "model_call_detail_stats", dimensions: ["type", "provider_id", "model", "app_did", "status"] },
];

/** The user that stands for all users together in the rollups. */
export const ALL_USERS = "";

/** Selects the rows of some tiles, from the narrowest rollup that knows the dimensions asked for and filtered by. */
export function tileRows(
  { userDid, filter }: Pick<AggregateQuery, "userDid" | "filter">,
  tiles: Tiles,
  dimensions: string[],
): Sql {
  return rowsOf(sql`user_did = ${userDid ?? ALL_USERS}`, filter, tiles, dimensions, dimensions);
}

/** Selects the rows of some tiles of every user, with `user_did`. */
export function tileRowsByUser(filter: UsageFilter, tiles: Tiles): Sql {
  return rowsOf(sql`user_did <> ${ALL_USERS}`, filter, tiles, ["user_did"], []);
}

function rowsOf(
  whose: Sql,
  filter: UsageFilter,
  tiles: Tiles,
  columnNames: string[],
  dimensions: string[],
): Sql {
  const needed = [...dimensions, ...filterColumns(filter)];
  const level = LEVELS.find((candidate) =>
    needed.every((dimension) => candidate.dimensions.includes(dimension)),
  );
  if (level === undefined) throw new Error(`no rollup knows ${needed.join(", ")}`);
  const columns = raw(columnNames.map(readDimension).join(", "));
  const branches = GRAINS.filter((grain) => tiles[grain].length > 0).map(
    (grain: Grain) => sql`
      select timestamp as at, ${columns}, ${raw(MEASURES)} from ${raw(level.table)}
       where ${whose} and time_type = ${grain} and timestamp = any(${instants(tiles[grain])}::timestamptz[])${andMatches(filter)}`,
  );
  return join(branches.length > 0 ? branches : [noRows(level.table, columns)], " union all ");
}

function noRows(table: string, columns: Sql): Sql {
  return sql`select timestamp as at, ${columns}, ${raw(MEASURES)} from ${raw(table)} where false`;
}

/** A primary key holds no null, so no app is '' in the rollups. */
function readDimension(column: string): string {
  return column === "app_did" ? "nullif(app_did, '') as app_did" : column;
}
