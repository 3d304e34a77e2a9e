import { type RollupScope } from "@usage-stats/core";
import { instant } from "../reading/instant-sql.ts";
import sql, { raw, type Sql } from "sql-template-tag";

/** Writes a condition on a user column and a time column. */
export function inScope({ userDid, range }: RollupScope, user: string, time: string): Sql {
  const whose = userDid === undefined ? raw("true") : sql`${raw(user)} = ${userDid}`;
  if (range === undefined) return whose;
  const at = raw(time);
  return sql`${whose} and ${at} >= ${instant(range.from)}::timestamptz and ${at} < ${instant(range.to)}::timestamptz`;
}
