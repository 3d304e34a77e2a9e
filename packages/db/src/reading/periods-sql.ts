import { type TimeRange, type UsageQuestion } from "@usage-stats/core";
import { type Sql, sql, trusted } from "../sql-fragment.ts";
import { instant } from "./bucket-sql.ts";

/** From the start of the earlier period to the end of the range. */
export function spanOf({ range, previous }: UsageQuestion): TimeRange {
  return { from: previous?.from ?? range.from, to: range.to };
}

/** Leaves out what lies between both periods, where something does. */
export function andNotBetweenPeriods(column: string, { range, previous }: UsageQuestion): Sql {
  if (previous === null || previous.to >= range.from) return trusted("");
  return sql` and not (${trusted(column)} >= ${instant(previous.to)} and ${trusted(column)} < ${instant(range.from)})`;
}
