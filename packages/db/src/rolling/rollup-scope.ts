import { type RollupScope } from "@usage-stats/core";
import { instant } from "../reading/bucket-sql.ts";
import { type Sql, sql, trusted } from "../sql-fragment.ts";

/** A condition on a user column and a time column. */
export function inScope({ userDid, range }: RollupScope, user: string, time: string): Sql {
  const whose = userDid === undefined ? trusted("true") : sql`${trusted(user)} = ${userDid}`;
  if (range === undefined) return whose;
  const at = trusted(time);
  return sql`${whose} and ${at} >= ${instant(range.from)}::timestamptz and ${at} < ${instant(range.to)}::timestamptz`;
}
