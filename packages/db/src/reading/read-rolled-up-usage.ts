import { type UsageAggregates, type AggregateQuery } from "@usage-stats/core";
import sql, { raw } from "sql-template-tag";
import { answerSql, noteSql } from "./answer-sql.ts";
import { ME } from "./asked-rows.ts";
import { type AskedUsage, askUsage } from "./asked-usage.ts";
import { isoText } from "./instant-sql.ts";
import { changesIn, IS_STORED, LIVE_TIMES, liveOfEveryoneSql, liveSql } from "./live-sql.ts";
import { templateByShape } from "./statement-template.ts";
import { type RunStatement } from "./statement-runner.ts";
import { fineCte, rowsOfParts } from "./tile-rows.ts";
import { aggregatesOf, type UsageRow } from "./usage-rows.ts";
import { shapeOf, type UsageShape } from "./usage-shape.ts";

/** Reads what a query asks for in one way. One statement, because that is one snapshot. */
export type ReadUsage = (
  run: RunStatement,
  query: AggregateQuery,
) => Promise<Omit<UsageAggregates, "statements" | "durationMs">>;

/**
 * Answers a query from rollups, made exact by the calls of whatever changed since they were rolled up. One statement,
 * however long the range; two where a range that looked settled had changed after all.
 */
export const readRolledUpUsage: ReadUsage = async (run, query) => {
  const shape = shapeOf(query);
  const asked = askUsage(query);
  const { range, groupBy } = query;
  if (asked.partialEdges.length === 0 && query.settled) {
    const rows = await run<UsageRow>(settledStatement(shape)(asked), "prepared");
    const { aggregates, note } = aggregatesOf(rows, groupBy);
    if (note === null) return { ...aggregates, liveFrom: range.to, source: "rollup" };
  }
  const rows = await run<UsageRow>(liveStatement(shape)(asked), "prepared");
  const { aggregates, note } = aggregatesOf(rows, groupBy);
  // A note alone is of calls that are gone since they were rolled up.
  const liveFrom = rows.length > 1 ? note : null;
  return {
    ...aggregates,
    liveFrom: liveFrom === null ? range.to : new Date(liveFrom),
    source: liveFrom === null ? "rollup" : "rollup+live",
  };
};

/**
 * The answer from rollups alone; or a note alone where anything had changed, in which case there is none. Half the work of the
 * other statement for a range where nothing did: there are no calls to plan for.
 */
const settledStatement = templateByShape<UsageShape, AskedUsage>((shape) => {
  const onlyIf = raw("not (select is_any from changed)");
  const changed = sql`changed as materialized (select exists (${changesIn(shape)}) as is_any)`;
  const own = shape.isEveryone ? [] : [ME];
  const sources = {
    ctes: [...own, changed, fineCte(shape, onlyIf)],
    rows: rowsOfParts(shape, { onlyIf, hasStale: false }),
    hasCalls: false,
  };
  return answerSql(shape, sources, noteSql(raw("'changed'"), raw("from changed where is_any")));
});

/** The answer from rollups and from the calls of what changed; noting since when in the range there are any of these. */
const liveStatement = templateByShape<UsageShape, AskedUsage>((shape) => {
  const onlyIf = shape.isEveryone ? undefined : IS_STORED;
  const live = shape.isEveryone ? liveOfEveryoneSql(shape) : liveSql(shape);
  const sources = {
    ctes: [...live, fineCte(shape, onlyIf)],
    rows: rowsOfParts(shape, { onlyIf, hasStale: true }),
    hasCalls: true,
  };
  return answerSql(
    shape,
    sources,
    noteSql(isoText(raw("min(at)")), sql`from ${LIVE_TIMES} having count(*) > 0`),
  );
});
