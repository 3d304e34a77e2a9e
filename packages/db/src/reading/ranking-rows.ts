import { type RankedAggregateQuery, type RankingAggregates, sumMeasures } from "@usage-stats/core";
import { measuresOfStored, type StoredRow } from "../layout/stored-measures.ts";

export type RankingAnswer = Omit<RankingAggregates, "statements" | "durationMs">;

/** A row of a ranking's answer, as `pageSql` selects it. */
export type RankingRow = StoredRow & {
  part: "item" | "matched" | "total";
  count: string | null;
  key0: string | null;
  key1: string | null;
  value: string | null;
  live_from: string | null;
};

/** Sorts the rows of an answer. */
export function rankingOf({ range }: RankedAggregateQuery, rows: RankingRow[]): RankingAnswer {
  const summed = (part: RankingRow["part"]) => {
    const row = rows.find((candidate) => candidate.part === part)!;
    // SQL's sum of nothing is null.
    return {
      count: Number(row.count),
      measures: row["calls"] === null ? sumMeasures([]) : measuresOfStored(row),
    };
  };
  const since = rows[0]?.live_from ?? null;
  return {
    items: rows
      .filter(({ part }) => part === "item")
      .map((row) => ({
        key: [row.key0!, row.key1!] as const,
        value: row.value!,
        measures: measuresOfStored(row),
      })),
    matched: summed("matched"),
    totals: summed("total").measures,
    liveFrom: since === null ? range.to : new Date(since),
    source: since === null ? ("rollup" as const) : ("rollup+live" as const),
  };
}
