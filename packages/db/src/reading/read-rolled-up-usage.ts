import {
  type Tiles,
  tilesOf,
  type TimeRange,
  type UsageAggregates,
  type AggregateQuery,
} from "@usage-stats/core";
import sql, { empty, join, raw, type Sql } from "sql-template-tag";
import { answerSql, RANKED } from "./answer-sql.ts";
import { instant, isoText } from "./instant-sql.ts";
import { DIMENSION_COLUMNS } from "./filter-sql.ts";
import { changesIn, liveSql } from "./live-sql.ts";
import { MEASURES } from "./measures-sql.ts";
import { tileRows } from "./rollup-levels.ts";
import { type RunStatement } from "./statement-runner.ts";
import { aggregatesOf, type UsageRow } from "./usage-rows.ts";

/** Reads what a query asks for in one way. One statement, because that is one snapshot. */
export type ReadUsage = (
  run: RunStatement,
  query: AggregateQuery,
) => Promise<Omit<UsageAggregates, "statements" | "durationMs">>;

/**
 * Answers a query from rollups, made exact by the calls of whatever changed since they were rolled up. One statement,
 * however long the range; two where a range that looked settled had changed after all.
 */
export const readRolledUpUsage: ReadUsage = async (run, query) => {
  const plan = planTiles(query);
  if (plan.partialEdges.length === 0 && query.settled) {
    const rows = await run<UsageRow & { changed: boolean }>(settledStatement(query, plan), "prepared");
    if (!rows[0]!.changed) {
      const aggregates = aggregatesOf(
        rows.filter((row) => row.part !== null),
        query.groupBy,
      );
      return { ...aggregates, liveFrom: query.range.to, source: "rollup" };
    }
  }
  const rows = await run<UsageRow & { live_from: string | null }>(liveStatement(query, plan));
  const liveFrom = rows[0]?.live_from ?? null;
  return {
    ...aggregatesOf(rows, query.groupBy),
    liveFrom: liveFrom === null ? query.range.to : new Date(liveFrom),
    source: liveFrom === null ? "rollup" : "rollup+live",
  };
};

type Plan = {
  both: Tiles;
  current: Tiles;
  page: Tiles;
  partialEdges: TimeRange[];
  columns: string[];
};

function planTiles({ range, previous, edges, groupBy }: AggregateQuery): Plan {
  const current = tilesOf(range);
  const before = previous === null ? noTiles : tilesOf(previous);
  return {
    both: merged(before, tilesOf(range, edges)),
    current,
    page: edges.length === 0 ? noTiles : tilesOf({ from: edges[0]!, to: edges.at(-1)! }, edges),
    partialEdges: [...before.partialEdges, ...current.partialEdges],
    columns: groupBy.map((dimension) => DIMENSION_COLUMNS[dimension]),
  };
}

/**
 * The answer from rollups alone, and whether anything had `changed`, in which case there is no answer. Half the work of the
 * other statement for a range where nothing did: there are no calls to plan for.
 */
function settledStatement(query: AggregateQuery, { both, current, page, columns }: Plan): Sql {
  const rows = (tiles: Tiles, dimensions: string[]) => sql`(${tileRows(query, tiles, dimensions)})`;
  const answer = answerSql(query, {
    series: rows(both, ["type"]),
    models: rows(current, ["provider_id", "model"]),
    groups: rows(current, columns),
    groupSeries: rows(page, columns),
  });
  return sql`select * from (select exists (${changesIn(query)}) as changed) as log left join (${answer}) as answer on not changed ${RANKED}`;
}

/** The answer from rollups and from the calls of what changed. */
function liveStatement(query: AggregateQuery, { both, current, page, partialEdges, columns }: Plan): Sql {
  const rows = (tiles: Tiles, dimensions: string[], live: Sql) =>
    sql`(${join([tileRows(query, tiles, dimensions), live], " union all ")})`;
  const live = (dimensions: string[]) =>
    sql`select at, ${raw([...dimensions, MEASURES].join(", "))} from live`;
  const since = instant(query.range.from);
  const liveNow = (dimensions: string[]) => sql`${live(dimensions)} where at >= ${since}::timestamptz`;

  const answer = answerSql(query, {
    series: rows(both, ["type"], live(["type"])),
    models: rows(current, ["provider_id", "model"], liveNow(["provider_id", "model"])),
    groups: raw("grouped"),
    groupSeries: rows(page, columns, liveNow(columns)),
  });
  const grouped =
    columns.length === 0 ? empty : sql`, grouped as materialized ${rows(current, columns, liveNow(columns))}`;
  return sql`with ${liveSql(query, partialEdges)}${grouped}
    select answer.*, ${isoText(sql`select min(at) from live where at >= ${since}::timestamptz`)} as live_from from (${answer}) as answer ${RANKED}`;
}

const noTiles: Tiles = { day: [], hour: [], quarter: [], partialEdges: [] };

function merged(one: Tiles, other: Tiles): Tiles {
  return {
    day: [...one.day, ...other.day],
    hour: [...one.hour, ...other.hour],
    quarter: [...one.quarter, ...other.quarter],
    partialEdges: [...one.partialEdges, ...other.partialEdges],
  };
}
