import { type Aggregates, type TimeRange, type AggregateQuery } from "@usage-stats/core";
import sql, { type Sql } from "sql-template-tag";
import { answerSql } from "./answer-sql.ts";
import { askParts, type AskedUsage, PARTS_OF_TIME, USER } from "./asked-usage.ts";
import { callsInSpans, liveCte, spansOfUsers } from "./live-sql.ts";
import { templateByShape } from "./statement-template.ts";
import { type RunStatement } from "./statement-runner.ts";
import { aggregatesOf, type UsageRow } from "./usage-rows.ts";
import { shapeOf, type UsageShape } from "./usage-shape.ts";

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
  const ctes = [sql`spans as materialized (${spansOfParts(shape)})`, liveCte(callsInSpans(shape))];
  return answerSql(shape, { ctes, rows: null, hasCalls: true });
});

/** Selects the parts of each user who may have calls in them: `user_did`, `lo` to `hi`. */
export function spansOfParts({ isEveryone }: UsageShape): Sql {
  return isEveryone
    ? spansOfUsers(PARTS_OF_TIME)
    : sql`select ${USER} as user_did, lo, hi from ${PARTS_OF_TIME}`;
}
