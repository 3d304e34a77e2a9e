import { type Tiles, tilesOf, type UsageQuestion } from "@usage-stats/core";
import { join, type Sql, sql, trusted } from "../sql-fragment.ts";
import { answerSql } from "./answer-sql.ts";
import { instant } from "./bucket-sql.ts";
import { DIMENSION_COLUMNS } from "./filter-sql.ts";
import { liveSql } from "./live-sql.ts";
import { MEASURES } from "./measures-sql.ts";
import { type ReadUsage } from "./read-usage.ts";
import { tileRows } from "./rollup-levels.ts";
import { factsOf, type UsageRow } from "./usage-rows.ts";

/**
 * Answers a question from rollups, made exact by the calls of whatever changed since they were rolled up. One statement,
 * however long the range.
 */
export const readRolledUpUsage: ReadUsage = async (execute, question) => {
  const { sql: text, params } = statementOf(question);
  const rows = await execute<UsageRow & { live_from: string | null }>(text, params);
  const liveFrom = rows[0]?.live_from ?? null;
  return {
    ...factsOf(rows, question.groupBy),
    liveFrom: liveFrom === null ? question.range.to : new Date(liveFrom),
    source: liveFrom === null ? "rollup" : "rollup+live",
  };
};

function statementOf(question: UsageQuestion): Sql {
  const { range, previous, edges, groupBy } = question;
  const columns = groupBy.map((dimension) => DIMENSION_COLUMNS[dimension]);
  const series = tilesOf(range, edges);
  const coarse = tilesOf(range);
  const before = previous === null ? noTiles : tilesOf(previous);
  const ragged = [...before.ragged, ...coarse.ragged];
  const page = edges.length === 0 ? noTiles : tilesOf({ from: edges[0]!, to: edges.at(-1)! }, edges);

  const rows = (dimensions: string[], tiles: Tiles, live: Sql) =>
    sql`(${join([tileRows(question, tiles, dimensions), live], " union all ")})`;
  const live = (dimensions: string[]) =>
    sql`select at, ${trusted([...dimensions, MEASURES].join(", "))} from live`;
  const liveNow = (dimensions: string[]) =>
    sql`${live(dimensions)} where at >= ${instant(range.from)}::timestamptz`;

  const answer = answerSql(
    question,
    {
      series: rows(["type"], merged(before, series), live(["type"])),
      models: rows(["provider_id", "model"], coarse, liveNow(["provider_id", "model"])),
      groups: trusted("grouped"),
      groupSeries: rows(columns, page, liveNow(columns)),
    },
    sql`, (select min(at) from live where at >= ${instant(range.from)}::timestamptz)::text as live_from`,
  );
  const grouped =
    columns.length === 0
      ? trusted("")
      : sql`, grouped as materialized ${rows(columns, coarse, liveNow(columns))}`;
  return sql`with ${liveSql(question, { from: previous?.from ?? range.from, to: range.to }, ragged)}${grouped} ${answer}`;
}

const noTiles: Tiles = { day: [], hour: [], quarter: [], ragged: [] };

function merged(one: Tiles, other: Tiles): Tiles {
  return {
    day: [...one.day, ...other.day],
    hour: [...one.hour, ...other.hour],
    quarter: [...one.quarter, ...other.quarter],
    ragged: [...one.ragged, ...other.ragged],
  };
}
