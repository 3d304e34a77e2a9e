import { type UsageAggregates, type AggregateQuery } from "@usage-stats/core";
import sql, { join, raw, type Sql } from "sql-template-tag";
import { answerSql, noteSql } from "./answer-sql.ts";
import {
  type AskedUsage,
  askUsage,
  CURRENT_RUNS,
  FROM,
  PAGE_RUNS,
  SERIES_RUNS,
  shapeOf,
  type UsageShape,
} from "./asked-usage.ts";
import { DIMENSION_COLUMNS } from "./filter-sql.ts";
import { isoText } from "./instant-sql.ts";
import { changesIn, IS_STORED, liveOfEveryoneSql, liveSql } from "./live-sql.ts";
import { MEASURES } from "./measures-sql.ts";
import { templateByShape } from "./statement-template.ts";
import { type RunStatement } from "./statement-runner.ts";
import { tileRows } from "./tile-rows.ts";
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
  const shape = shapeOf(query);
  const asked = askUsage(query);
  const { range, groupBy } = query;
  if (asked.partialEdges.length === 0 && query.settled) {
    const rows = await run<UsageRow>(settledStatement(shape)(asked), "prepared");
    const { aggregates, note } = aggregatesOf(rows, groupBy);
    if (note === null) return { ...aggregates, liveFrom: range.to, source: "rollup" };
  }
  const rows = await run<UsageRow>(liveStatement(shape)(asked), "prepared");
  const { aggregates, note } = aggregatesOf(rows, groupBy);
  // A note alone is of calls that are gone since they were rolled up.
  const liveFrom = rows.length > 1 ? note : null;
  return {
    ...aggregates,
    liveFrom: liveFrom === null ? range.to : new Date(liveFrom),
    source: liveFrom === null ? "rollup" : "rollup+live",
  };
};

/**
 * The answer from rollups alone; or a note alone where anything had changed, in which case there is none. Half the work of the
 * other statement for a range where nothing did: there are no calls to plan for.
 */
const settledStatement = templateByShape<UsageShape, AskedUsage>((shape) => {
  const columns = groupColumns(shape);
  const unchanged = raw("not (select is_any from changed)");
  const rows = (runs: Sql, dimensions: string[]) => tileRows(shape, runs, dimensions, unchanged);
  const ctes = [sql`changed as materialized (select exists (${changesIn(shape)}) as is_any)`];
  const sources = {
    series: rows(SERIES_RUNS, ["type"]),
    models: rows(CURRENT_RUNS, ["provider_id", "model"]),
    groups: rows(CURRENT_RUNS, columns),
    groupSeries: rows(PAGE_RUNS, columns),
  };
  return answerSql(shape, ctes, sources, noteSql(raw("'changed'"), raw("from changed where is_any")));
});

/** The answer from rollups and from the calls of what changed; noting since when in the range there are any of these. */
const liveStatement = templateByShape<UsageShape, AskedUsage>((shape) => {
  const columns = groupColumns(shape);
  const onlyIf = shape.isEveryone ? undefined : IS_STORED;
  const rows = (runs: Sql, dimensions: string[], live: Sql) =>
    join([tileRows(shape, runs, dimensions, onlyIf), live], " union all ");
  const live = (dimensions: string[]) =>
    sql`select at, ${raw([...dimensions, MEASURES].join(", "))} from live`;
  const liveNow = (dimensions: string[]) => sql`${live(dimensions)} where at >= ${FROM}`;
  const sources = {
    series: rows(SERIES_RUNS, ["type"], live(["type"])),
    models: rows(CURRENT_RUNS, ["provider_id", "model"], liveNow(["provider_id", "model"])),
    groups: rows(CURRENT_RUNS, columns, liveNow(columns)),
    groupSeries: rows(PAGE_RUNS, columns, liveNow(columns)),
  };
  const since = sql`from live where at >= ${FROM} having count(*) > 0`;
  return answerSql(
    shape,
    shape.isEveryone ? liveOfEveryoneSql(shape) : liveSql(shape),
    sources,
    noteSql(isoText(raw("min(at)")), since),
  );
});

function groupColumns({ groupBy }: UsageShape): string[] {
  return groupBy.map((dimension) => DIMENSION_COLUMNS[dimension]);
}
