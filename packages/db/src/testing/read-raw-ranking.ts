import sql, { raw } from "sql-template-tag";
import { rankingSql } from "../reading/ranking-sql.ts";
import { askedOfEveryone } from "../reading/asked-of-everyone.ts";
import { readRankedBy, type ReadRanking } from "../reading/read-ranking.ts";
import { shapeOf } from "../reading/usage-shape.ts";
import { callsOf } from "./read-raw-usage.ts";

/** Ranks by adding up raw calls, with nothing in between: what the faster way is checked against. */
export const readRawRanking: ReadRanking = async (run, query, collation) => {
  const source = sql`select * from (${callsOf(shapeOf(askedOfEveryone(query)))}) as calls`;
  const parts = { ctes: [], source, liveFrom: raw("null") };
  const aggregates = await readRankedBy(run, query, rankingSql(query, parts, collation));
  return { ...aggregates, liveFrom: query.range.from, source: "raw" };
};
