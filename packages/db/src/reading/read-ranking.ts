import { type RankedAggregateQuery } from "@usage-stats/core";
import sql, { raw, type Sql } from "sql-template-tag";
import { STORED_LIST, SUMMED_STORED } from "../layout/stored-measures.ts";
import { askedOfEveryone } from "./asked-of-everyone.ts";
import { askUsage } from "./asked-usage.ts";
import { LIVE_TIMES, liveOfEveryoneSql } from "./live-sql.ts";
import { namesOf } from "./named-items.ts";
import { type RankingAnswer, rankingOf, type RankingRow } from "./ranking-rows.ts";
import { rankingSql } from "./ranking-sql.ts";
import { readRankingByThreshold } from "./read-ranking-by-threshold.ts";
import { type RunStatement } from "./statement-runner.ts";
import { templateOf } from "./statement-template.ts";
import { fineCte, rowsByUser, rowsOfParts } from "./tile-rows.ts";
import { groupColumns, levelsOf, shapeOf } from "./usage-shape.ts";

/** Ranks in one way. All of an answer is of one statement, because that is one snapshot. `collation` is what a search is compared in. */
export type ReadRanking = (
  run: RunStatement,
  query: RankedAggregateQuery,
  collation: Sql,
) => Promise<RankingAnswer>;

/** Ranks from rollups, made exact by the calls of whatever changed since they were rolled up; everybody only where it has to. */
export const readRolledUpRanking: ReadRanking = async (run, query, collation) =>
  (await readRankingByThreshold(run, query)) ?? readWholeRanking(run, query, collation);

/** Ranks by adding up everybody. */
export const readWholeRanking: ReadRanking = async (run, query, collation) => {
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

/** Runs a statement of `rankingSql` and reads what it answers. */
export async function readRankedBy(run: RunStatement, query: RankedAggregateQuery, statement: Sql) {
  const asked = askUsage(askedOfEveryone(query), { byUser: query.by === "user" });
  return rankingOf(query, await run<RankingRow>(templateOf(statement)(asked)));
}
