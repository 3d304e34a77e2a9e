import { type RankedAggregateQuery } from "@usage-stats/core";
import { WEEK_ORDERS } from "../layout/week-orders.ts";
import { askThreshold, type AskedThreshold, type Reach } from "./ask-threshold.ts";
import { askedOfEveryone } from "./asked-of-everyone.ts";
import { type RankingAnswer, rankingOf, type RankingRow } from "./ranking-rows.ts";
import { templateByShape } from "./statement-template.ts";
import { type RunStatement } from "./statement-runner.ts";
import { thresholdSql, type ThresholdShape } from "./threshold-sql.ts";
import { shapeOf } from "./usage-shape.ts";

/** How far is looked, one after the other, until a page is right. */
const REACHES: readonly Reach[] = [
  { depth: 400, candidates: 300, named: 500 },
  { depth: 1_600, candidates: 1_000, named: 500 },
];

/** Ranks users by threshold; gives `null` where that is not known to be right, or does not pay. */
export async function readRankingByThreshold(
  run: RunStatement,
  query: RankedAggregateQuery,
  reaches: readonly Reach[] = REACHES,
): Promise<RankingAnswer | null> {
  const order = WEEK_ORDERS[query.orderBy];
  const everyone = askedOfEveryone(query);
  const usage = shapeOf(everyone);
  const isServed =
    query.by === "user" &&
    query.direction === "desc" &&
    query.search === null &&
    usage.filter.every((field) => field === "types");
  if (order === undefined || !isServed) return null;
  const statement = thresholdStatement({ usage, orderBy: query.orderBy, isFirst: query.after === null });
  for (const reach of reaches) {
    const rows = await run<RankingRow>(statement(askThreshold(query, everyone, reach)), "prepared");
    if (rows.length > 0) return rankingOf(query, rows);
  }
  return null;
}

const thresholdStatement = templateByShape<ThresholdShape, AskedThreshold>((shape) =>
  thresholdSql(shape, WEEK_ORDERS[shape.orderBy]!),
);
