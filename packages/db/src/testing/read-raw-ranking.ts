import sql, { empty, raw } from "sql-template-tag";
import { rankingSql } from "../reading/ranking-sql.ts";
import { askedOfEveryone, readRankedBy, type ReadRanking } from "../reading/read-ranking.ts";
import { callsOf } from "./read-raw-usage.ts";

/** Ranks by adding up raw calls, with nothing in between: what the faster way is checked against. */
export const readRawRanking: ReadRanking = async (run, query, collation) => {
  const source = sql`select * from ${callsOf(askedOfEveryone(query), query.range)} as calls`;
  const parts = { ctes: empty, source, liveFrom: raw("null") };
  const aggregates = await readRankedBy(run, query, rankingSql(query, parts, collation));
  return { ...aggregates, liveFrom: query.range.from, source: "raw" };
};
