import { type TimeRange, type AggregateQuery } from "@usage-stats/core";
import sql, { raw, type Sql } from "sql-template-tag";
import { answerSql, RANKED } from "../reading/answer-sql.ts";
import { instant } from "../reading/instant-sql.ts";
import { andMatches } from "../reading/filter-sql.ts";
import { CALL_MEASURES } from "../reading/measures-sql.ts";
import { andNotBetweenPeriods, spanOf } from "../reading/periods-sql.ts";
import { type ReadUsage } from "../reading/read-rolled-up-usage.ts";
import { aggregatesOf, type UsageRow } from "../reading/usage-rows.ts";

/**
 * Answers a query by adding up its raw calls, with nothing in between: what every faster way is checked against. One
 * statement, and so one snapshot.
 */
export const readRawUsage: ReadUsage = async (run, query) => {
  const { range, edges } = query;
  const page = { from: edges[0] ?? range.from, to: edges.at(-1) ?? range.from };
  const answer = answerSql(query, {
    series: callsOf(query, spanOf(query)),
    models: callsOf(query, range),
    groups: callsOf(query, range),
    groupSeries: callsOf(query, page),
  });
  const rows = await run<UsageRow>(sql`select * from (${answer}) as answer ${RANKED}`);
  return { ...aggregatesOf(rows, query.groupBy), liveFrom: range.from, source: "raw" };
};

/** Selects the calls of a query in a range, each as a row to be added up. */
export function callsOf(query: AggregateQuery, { from, to }: TimeRange): Sql {
  const { userDid, filter } = query;
  const whose = userDid === null ? raw("true") : sql`user_did = ${userDid}`;
  return sql`(
    select call_time as at, user_did, type, provider_id, model, app_did, status, ${raw(CALL_MEASURES)}
      from model_calls
     where ${whose} and voided_at is null and call_time >= ${instant(from)} and call_time < ${instant(to)}${andNotBetweenPeriods("call_time", query)}${andMatches(filter)})`;
}
