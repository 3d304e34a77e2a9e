import { type Aggregates, type TimeRange, type AggregateQuery } from "@usage-stats/core";
import sql, { raw } from "sql-template-tag";
import { answerSql, RANKED } from "./answer-sql.ts";
import { instant, instants } from "./instant-sql.ts";
import { callsInSpans } from "./live-sql.ts";
import { ALL_USERS } from "./rollup-levels.ts";
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
  const { userDid, groupBy, range } = query;
  const spans = userDid === null ? spansOfUsers : sql`select ${userDid}::text as user_did, lo, hi from parts`;
  const inRange = sql`(select * from live where at >= ${instant(range.from)}::timestamptz)`;
  const answer = answerSql(query, {
    series: raw("live"),
    models: inRange,
    groups: inRange,
    groupSeries: inRange,
  });
  const statement = sql`
    with parts as (
      select lo, hi from unnest(${instants(parts.map(({ from }) => from))}::timestamptz[],
                                ${instants(parts.map(({ to }) => to))}::timestamptz[]) as parts(lo, hi)),
    spans as materialized (${spans}),
    live as materialized (${callsInSpans(query)})
    select * from (${answer}) as answer ${RANKED}`;
  const rows = await run<UsageRow>(statement, "prepared");
  return aggregatesOf(rows, groupBy);
}

const spansOfUsers = sql`
      select distinct user_did, lo, hi
        from parts cross join lateral (
          select user_did from model_call_stats
           where time_type = 'quarter' and timestamp >= quarter_of(lo) and timestamp < hi
          union all
          select user_did from model_call_changes where quarter >= quarter_of(lo) and quarter < hi offset 0) as known
       where user_did <> ${ALL_USERS}`;
