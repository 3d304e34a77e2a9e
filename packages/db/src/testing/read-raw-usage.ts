import sql, { raw, type Sql } from "sql-template-tag";
import { answerSql } from "../reading/answer-sql.ts";
import { askUsage, SPAN_FROM, TO, USER } from "../reading/asked-usage.ts";
import { andMatchesFilter } from "../reading/filter-sql.ts";
import { STORED_OF_CALL } from "../layout/stored-measures.ts";
import { DIMENSIONS } from "../reading/detail-levels.ts";
import { liveCte } from "../reading/live-sql.ts";
import { andNotBetweenPeriods } from "../reading/periods-sql.ts";
import { type ReadUsage } from "../reading/read-rolled-up-usage.ts";
import { templateOf } from "../reading/statement-template.ts";
import { aggregatesOf, type UsageRow } from "../reading/usage-rows.ts";
import { shapeOf, type UsageShape } from "../reading/usage-shape.ts";

/**
 * Answers a query by adding up its raw calls, with nothing in between: what every faster way is checked against. One
 * statement, and so one snapshot.
 */
export const readRawUsage: ReadUsage = async (run, query) => {
  const shape = shapeOf(query);
  const sources = { ctes: [liveCte(callsOf(shape))], rows: null, hasCalls: true };
  const rows = await run<UsageRow>(templateOf(answerSql(shape, sources))(askUsage(query)));
  const { aggregates } = aggregatesOf(rows, query.groupBy);
  return { ...aggregates, liveFrom: query.range.from, source: "raw" };
};

/** Selects the calls of both periods of a question, each as a row to be added up. */
export function callsOf(shape: UsageShape): Sql {
  const whose = shape.isEveryone ? raw("true") : sql`user_did = ${USER}`;
  return sql`
    select call_time as at, user_did, ${raw(DIMENSIONS.join(", "))}, ${raw(STORED_OF_CALL)}
      from model_calls
     where ${whose} and voided_at is null and call_time >= ${SPAN_FROM} and call_time < ${TO}${andNotBetweenPeriods("call_time")}${andMatchesFilter(shape)}`;
}
