import {
  type AggregateQuery,
  type GroupDimension,
  type RankedAggregateQuery,
  type RankedBy,
  type RankingAggregates,
  sumMeasures,
} from "@usage-stats/core";
import sql, { raw, type Sql } from "sql-template-tag";
import { measuresOfStored, STORED_LIST, type StoredRow, SUMMED_STORED } from "../layout/stored-measures.ts";
import { askUsage } from "./asked-usage.ts";
import { LIVE_TIMES, liveOfEveryoneSql } from "./live-sql.ts";
import { namesOf } from "./named-items.ts";
import { rankingSql } from "./ranking-sql.ts";
import { type RunStatement } from "./statement-runner.ts";
import { templateOf } from "./statement-template.ts";
import { fineCte, rowsByUser, rowsOfParts } from "./tile-rows.ts";
import { groupColumns, levelsOf, shapeOf } from "./usage-shape.ts";

/** Ranks in one way. One statement, because that is one snapshot. `collation` is what a search is compared in. */
export type ReadRanking = (
  run: RunStatement,
  query: RankedAggregateQuery,
  collation: Sql,
) => Promise<Omit<RankingAggregates, "statements" | "durationMs">>;

type RankingRow = StoredRow & {
  part: "item" | "matched" | "total";
  count: string | null;
  key0: string | null;
  key1: string | null;
  value: string | null;
  live_from: string | null;
};

/** Ranks from rollups, made exact by the calls of whatever changed since they were rolled up. */
export const readRolledUpRanking: ReadRanking = async (run, query, collation) => {
  const liveFrom = sql`select min(at) from ${LIVE_TIMES}`;
  return readRankedBy(run, query, rankingSql(query, { ...sourcesOf(query), liveFrom }, collation));
};

/** Users are told from their own rollups; apps and models from those of all users together. Both are added up by ids, and then named. */
function sourcesOf(query: RankedAggregateQuery): { ctes: Sql[]; source: Sql } {
  const asked = askedOfEveryone(query);
  const shape = shapeOf(asked);
  const [sums, stored] = [raw(SUMMED_STORED), raw(STORED_LIST)];
  if (query.by === "user") {
    const source = sql`
      select did as user_did, ${stored}
        from (select user_id, ${sums} from (${rowsByUser(shape)}) as rows group by user_id) as summed
        join model_call_users on id = user_id
      union all
      select user_did, ${stored} from live`;
    return { ctes: liveOfEveryoneSql(shape, true), source };
  }
  const names = groupColumns(shape);
  const columns = raw(names.join(", "));
  const { groups } = rowsOfParts(shape, { hasStale: true });
  const source = sql`
    select ${columns}, ${stored}
      from (select item, ${sums} from (${groups}) as rows group by item) as summed
     cross join lateral ${namesOf(levelsOf(shape).groups, names)}
    union all
    select ${columns}, ${stored} from live`;
  return { ctes: [...liveOfEveryoneSql(shape), fineCte(shape)], source };
}

const GROUPED_BY: Record<RankedBy, GroupDimension[]> = {
  user: [],
  app: ["app"],
  model: ["provider", "model"],
};

/** Asks a ranking's query of all users together. */
export function askedOfEveryone({ range, settled, filter, by }: RankedAggregateQuery): AggregateQuery {
  const groupBy = GROUPED_BY[by];
  return {
    userDid: null,
    range,
    previous: null,
    settled,
    edges: [],
    groupBy,
    filter,
    rankBy: "calls",
    topN: 1,
  };
}

/** Runs a statement of `rankingSql` and reads what it answers. */
export async function readRankedBy(run: RunStatement, query: RankedAggregateQuery, statement: Sql) {
  const { range, by } = query;
  const asked = askUsage(askedOfEveryone(query), { byUser: by === "user" });
  const rows = await run<RankingRow>(templateOf(statement)(asked));
  const summed = (part: RankingRow["part"]) => {
    const row = rows.find((candidate) => candidate.part === part)!;
    // SQL's sum of nothing is null.
    return {
      count: Number(row.count),
      measures: row["calls"] === null ? sumMeasures([]) : measuresOfStored(row),
    };
  };
  const since = rows[0]?.live_from ?? null;
  return {
    items: rows
      .filter(({ part }) => part === "item")
      .map((row) => ({
        key: [row.key0!, row.key1!] as const,
        value: row.value!,
        measures: measuresOfStored(row),
      })),
    matched: summed("matched"),
    totals: summed("total").measures,
    liveFrom: since === null ? range.to : new Date(since),
    source: since === null ? ("rollup" as const) : ("rollup+live" as const),
  };
}
