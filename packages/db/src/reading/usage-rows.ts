import { type Aggregates, type CallType, type GroupDimension, type GroupKey } from "@usage-stats/core";
import { PREVIOUS } from "./bucket-sql.ts";
import { measuresOfStored, type StoredRow } from "../layout/stored-measures.ts";

/**
 * A row of an answer. What it sums: `sum` (`bucket`, `PREVIOUS` or null outside the series; type in key0), `model` (provider in
 * key0, model in key1), `group` (key0, key1), `group_series` (`bucket`, key0, key1, and `rank`, null for all the others). A `note` sums
 * nothing, and says something in key0.
 */
export type UsageRow = StoredRow & {
  part: "sum" | "model" | "group" | "group_series" | "note";
  bucket: number | null;
  key0: string | null;
  key1: string | null;
  rank: number | null;
};

/** Sorts an answer's rows, which are in order of rank, into aggregates and the note, if there is one. */
export function aggregatesOf(
  rows: UsageRow[],
  groupBy: GroupDimension[],
): { aggregates: Aggregates; note: string | null } {
  const { sums, models, groups, groupSeries }: Aggregates = {
    sums: [],
    models: [],
    groups: [],
    groupSeries: [],
  };
  let note: string | null = null;
  for (const row of rows) {
    const { part, bucket, key0, key1 } = row;
    switch (part) {
      case "sum":
        sums.push({
          period: bucket === PREVIOUS ? "previous" : "current",
          bucket: bucket === PREVIOUS ? null : bucket,
          type: key0 as CallType,
          measures: measuresOfStored(row),
        });
        break;
      case "model":
        models.push({ providerId: key0!, model: key1!, measures: measuresOfStored(row) });
        break;
      case "group":
        groups.push({ key: groupKey(groupBy, key0, key1), measures: measuresOfStored(row) });
        break;
      case "group_series":
        groupSeries.push({
          bucket: bucket!,
          key: row.rank === null ? null : groupKey(groupBy, key0, key1),
          measures: measuresOfStored(row),
        });
        break;
      case "note":
        note = key0;
    }
  }
  return { aggregates: { sums, models, groups, groupSeries }, note };
}

function groupKey(groupBy: GroupDimension[], key0: string | null, key1: string | null): GroupKey {
  const key: GroupKey = {};
  const [first, second] = groupBy;
  if (first !== undefined) key[first] = key0;
  if (second !== undefined) key[second] = key1;
  return key;
}
