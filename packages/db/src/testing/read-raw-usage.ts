import { type TimeRange, type UsageQuestion } from "@usage-stats/core";
import sql, { raw, type Sql } from "sql-template-tag";
import { answerSql, RANKED } from "../reading/answer-sql.ts";
import { instant } from "../reading/instant-sql.ts";
import { andMatches } from "../reading/filter-sql.ts";
import { CALL_MEASURES } from "../reading/measures-sql.ts";
import { andNotBetweenPeriods, spanOf } from "../reading/periods-sql.ts";
import { type ReadUsage } from "../reading/read-rolled-up-usage.ts";
import { factsOf, type UsageRow } from "../reading/usage-rows.ts";

/**
 * Answers a question by adding up its raw calls, with nothing in between: what every faster way is checked against. One
 * statement, and so one snapshot.
 */
export const readRawUsage: ReadUsage = async (run, question) => {
  const { range, edges } = question;
  const page = { from: edges[0] ?? range.from, to: edges.at(-1) ?? range.from };
  const answer = answerSql(question, {
    series: callsOf(question, spanOf(question)),
    models: callsOf(question, range),
    groups: callsOf(question, range),
    groupSeries: callsOf(question, page),
  });
  const rows = await run<UsageRow>(sql`select * from (${answer}) as answer ${RANKED}`);
  return { ...factsOf(rows, question.groupBy), liveFrom: range.from, source: "raw" };
};

/** Selects the calls of a question in a range, each as a row to be added up. */
export function callsOf(question: UsageQuestion, { from, to }: TimeRange): Sql {
  const { userDid, filter } = question;
  const whose = userDid === null ? raw("true") : sql`user_did = ${userDid}`;
  return sql`(
    select call_time as at, user_did, type, provider_id, model, app_did, status, ${raw(CALL_MEASURES)}
      from model_calls
     where ${whose} and voided_at is null and call_time >= ${instant(from)} and call_time < ${instant(to)}${andNotBetweenPeriods("call_time", question)}${andMatches(filter)})`;
}
