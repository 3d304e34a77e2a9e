import { type RankedBy, RANKING_METRICS, type UsageRankingQuery } from "@usage-stats/core";
import * as z from "zod";
import { instant } from "../input/instant.ts";
import { pageCursor, pageLimit, searchText } from "../input/page-input.ts";
import { usageFilter } from "../input/usage-filter.ts";

/** What a ranking is ordered by, and which names it has: the same in tRPC and in REST. */
export const rankingOrder = {
  orderBy: z.enum(RANKING_METRICS).default("calls").describe("The metric that ranks."),
  direction: z
    .enum(["desc", "asc"])
    .default("desc")
    .describe("Whether the largest or the smallest is first."),
  search: searchText.describe("Text that a name must hold, in whatever case."),
};

/** What `admin.usageByUser`, `usageByApp` and `usageByModel` take. */
export const usageRankingInput = z.strictObject({
  from: instant,
  to: instant,
  filter: usageFilter,
  ...rankingOrder,
  limit: pageLimit,
  cursor: pageCursor,
});

export type UsageRankingInput = z.input<typeof usageRankingInput>;

/** Makes the query of what is ranked. */
export function rankingOf<By extends RankedBy>(
  by: By,
  input: z.output<typeof usageRankingInput>,
): UsageRankingQuery & { by: By } {
  return { ...input, by };
}
