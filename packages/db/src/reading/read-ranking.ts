import {
  type RankingAggregates,
  type RankedAggregateQuery,
  sumMeasures,
  type AggregateQuery,
} from "@usage-stats/core";
import sql, { raw, type Sql } from "sql-template-tag";
import { askUsage, CURRENT_RUNS, shapeOf } from "./asked-usage.ts";
import { liveByUserSql, liveOfEveryoneSql } from "./live-sql.ts";
import { MEASURES, measuresOf, type MeasuresRow, SUMMED_MEASURES } from "./measures-sql.ts";
import { rankingSql } from "./ranking-sql.ts";
import { type RunStatement } from "./statement-runner.ts";
import { templateOf } from "./statement-template.ts";
import { tileRows, tileRowsByUser } from "./tile-rows.ts";

/** Ranks in one way. One statement, because that is one snapshot. `collation` is what a search is compared in. */
export type ReadRanking = (
  run: RunStatement,
  query: RankedAggregateQuery,
  collation: Sql,
) => Promise<Omit<RankingAggregates, "statements" | "durationMs">>;

type RankingRow = MeasuresRow & {
  part: "item" | "matched" | "total";
  count: string | null;
  key0: string | null;
  key1: string | null;
  value: string | null;
  live_from: string | null;
};

/** Ranks from rollups, made exact by the calls of whatever changed since they were rolled up. */
export const readRolledUpRanking: ReadRanking = async (run, query, collation) => {
  const { live, source } = sourcesOf(query);
  const liveFrom = raw("select min(at) from live");
  return readRankedBy(run, query, rankingSql(query, { ctes: live, source, liveFrom }, collation));
};

/** Users are told from their own rollups; apps and models from those of all users together. */
function sourcesOf(query: RankedAggregateQuery): { live: Sql[]; source: Sql } {
  const shape = shapeOf(askedOfEveryone(query));
  const measures = raw(MEASURES);
  if (query.by === "user") {
    // Added up before they meet what is live: their many rows are added up faster where nothing else is among them.
    const source = sql`select user_did, ${raw(SUMMED_MEASURES)} from (${tileRowsByUser(shape, CURRENT_RUNS)}) as tiles group by user_did
      union all select user_did, ${measures} from live`;
    return { live: liveByUserSql(shape), source };
  }
  const dimensions = query.by === "app" ? ["app_did"] : ["provider_id", "model"];
  const columns = raw([...dimensions, MEASURES].join(", "));
  const source = sql`select ${columns} from (${tileRows(shape, CURRENT_RUNS, dimensions)}) as tiles
    union all select ${columns} from live`;
  return { live: liveOfEveryoneSql(shape), source };
}

/** Asks a ranking's query of all users together. */
export function askedOfEveryone({ range, settled, filter }: RankedAggregateQuery): AggregateQuery {
  return {
    userDid: null,
    range,
    previous: null,
    settled,
    edges: [],
    groupBy: [],
    filter,
    rankBy: "calls",
    topN: 1,
  };
}

/** Runs a statement of `rankingSql` and reads what it answers. */
export async function readRankedBy(run: RunStatement, query: RankedAggregateQuery, statement: Sql) {
  const { range } = query;
  const rows = await run<RankingRow>(templateOf(statement)(askUsage(askedOfEveryone(query))));
  const summed = (part: RankingRow["part"]) => {
    const row = rows.find((candidate) => candidate.part === part)!;
    // SQL's sum of nothing is null.
    return { count: Number(row.count), measures: row.calls === null ? sumMeasures([]) : measuresOf(row) };
  };
  const since = rows[0]?.live_from ?? null;
  return {
    items: rows
      .filter(({ part }) => part === "item")
      .map((row) => ({ key: [row.key0!, row.key1!] as const, value: row.value!, measures: measuresOf(row) })),
    matched: summed("matched"),
    totals: summed("total").measures,
    liveFrom: since === null ? range.to : new Date(since),
    source: since === null ? ("rollup" as const) : ("rollup+live" as const),
  };
}
