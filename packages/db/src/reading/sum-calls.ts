import { type Aggregates, type TimeRange, type AggregateQuery } from "@usage-stats/core";
import sql, { raw, type Sql } from "sql-template-tag";
import { answerSql } from "./answer-sql.ts";
import { askParts, type AskedUsage, FROM, PARTS, shapeOf, USER, type UsageShape } from "./asked-usage.ts";
import { callsInSpans } from "./live-sql.ts";
import { ALL_USERS } from "./rollup-levels.ts";
import { templateByShape } from "./statement-template.ts";
import { type RunStatement } from "./statement-runner.ts";
import { aggregatesOf, type UsageRow } from "./usage-rows.ts";

/**
 * Adds up the calls in some parts of a query's periods and nothing else. Every call is looked up by its user and time;
 * who has calls in a part is known from the rollups and from the log of what is not rolled up yet.
 */
export async function sumCalls(
  run: RunStatement,
  query: AggregateQuery,
  parts: TimeRange[],
): Promise<Aggregates> {
  const statement = partsStatement(shapeOf(query))(askParts(query, parts));
  const rows = await run<UsageRow>(statement, "prepared");
  return aggregatesOf(rows, query.groupBy).aggregates;
}

const partsStatement = templateByShape<UsageShape, AskedUsage>((shape) => {
  const inRange = sql`select * from live where at >= ${FROM}`;
  const ctes = [
    sql`spans as materialized (${spansOfParts(shape)})`,
    sql`live as materialized (${callsInSpans(shape)})`,
  ];
  const sources = {
    series: raw("select * from live"),
    models: inRange,
    groups: inRange,
    groupSeries: inRange,
  };
  return answerSql(shape, ctes, sources);
});

/** Selects the parts of each user who may have calls in them: `user_did`, `lo` to `hi`. */
export function spansOfParts({ isEveryone }: UsageShape): Sql {
  return isEveryone ? spansOfUsers : sql`select ${USER} as user_did, lo, hi from ${PARTS}`;
}

const spansOfUsers = sql`
      select distinct user_did, lo, hi
        from ${PARTS} cross join lateral (
          select user_did from model_call_stats
           where time_type = 'quarter' and timestamp >= quarter_of(lo) and timestamp < hi
          union all
          select user_did from model_call_changes where quarter >= quarter_of(lo) and quarter < hi offset 0) as known
       where user_did <> ${ALL_USERS}`;
