import { type Aggregates, type CallType, type GroupDimension, type GroupKey } from "@usage-stats/core";
import { measuresOf, type MeasuresRow } from "./measures-sql.ts";

/**
 * A row of an answer. What it sums: `sum` (`period`, `bucket` or null outside the series; type in key0), `model` (provider in
 * key0, model in key1), `group` (key0, key1), `group_series` (`bucket`, key0, key1, and `rank`, null for all the others).
 */
export type UsageRow = MeasuresRow & {
  part: "sum" | "model" | "group" | "group_series";
  period: "current" | "previous" | null;
  bucket: number | null;
  key0: string | null;
  key1: string | null;
  rank: number | null;
};

/** Sorts an answer's rows into aggregates; they must come ranked where rank matters. */
export function aggregatesOf(rows: UsageRow[], groupBy: GroupDimension[]): Aggregates {
  const aggregates: Aggregates = { sums: [], models: [], groups: [], groupSeries: [] };
  for (const row of rows) {
    const measures = measuresOf(row);
    const { period, key0, key1 } = row;
    const bucket = row.bucket!;
    switch (row.part) {
      case "sum":
        aggregates.sums.push({ period: period!, bucket: row.bucket, type: key0 as CallType, measures });
        break;
      case "model":
        aggregates.models.push({ providerId: key0!, model: key1!, measures });
        break;
      case "group":
        aggregates.groups.push({ key: groupKey(groupBy, row), measures });
        break;
      case "group_series":
        aggregates.groupSeries.push({
          bucket,
          key: row.rank === null ? null : groupKey(groupBy, row),
          measures,
        });
    }
  }
  return aggregates;
}

function groupKey(groupBy: GroupDimension[], { key0, key1 }: UsageRow): GroupKey {
  return Object.fromEntries(groupBy.map((dimension, i) => [dimension, i === 0 ? key0 : key1]));
}
