import { type SummedFacts, type TimeRange, type UsageQuestion } from "@usage-stats/core";
import { timeArray } from "../array-literal.ts";
import { sql, trusted } from "../sql-fragment.ts";
import { answerSql, RANKED } from "./answer-sql.ts";
import { instant } from "./bucket-sql.ts";
import { callsInSpans } from "./live-sql.ts";
import { type Execute } from "./read-usage.ts";
import { ALL_USERS } from "./rollup-levels.ts";
import { factsOf, type UsageRow } from "./usage-rows.ts";

/**
 * Adds up the calls in some parts of a question's periods and nothing else. Every call is looked up by its user and time;
 * who has calls in a part is known from the rollups and from the log of what is not rolled up yet.
 */
export async function readCalls(
  execute: Execute,
  question: UsageQuestion,
  parts: TimeRange[],
): Promise<SummedFacts> {
  const { userDid, groupBy, range } = question;
  const spans = userDid === null ? spansOfUsers : sql`select ${userDid}::text as user_did, lo, hi from parts`;
  const inRange = sql`(select * from live where at >= ${instant(range.from)}::timestamptz)`;
  const answer = answerSql(question, {
    series: trusted("live"),
    models: inRange,
    groups: inRange,
    groupSeries: inRange,
  });
  const { sql: text, params } = sql`
    with parts as (
      select lo, hi from unnest(${timeArray(parts.map(({ from }) => from))}::timestamptz[],
                                ${timeArray(parts.map(({ to }) => to))}::timestamptz[]) as parts(lo, hi)),
    spans as materialized (${spans}),
    live as materialized (${callsInSpans(question)})
    select * from (${answer}) as answer ${RANKED}`;
  const rows = await execute<UsageRow>(text, params, "prepared");
  return factsOf(rows, groupBy);
}

const spansOfUsers = sql`
      select distinct user_did, lo, hi
        from parts cross join lateral (
          select user_did from model_call_stats
           where time_type = 'quarter' and timestamp >= quarter_of(lo) and timestamp < hi
          union all
          select user_did from model_call_changes where quarter >= quarter_of(lo) and quarter < hi offset 0) as known
       where user_did <> ${ALL_USERS}`;
