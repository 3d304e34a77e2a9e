import { getUsageRanking, type RankedBy, type UsageRanking, type UsageRankingQuery } from "@usage-stats/core";
import { type Reaching } from "../context.ts";
import { refuseUndeclaredTags } from "../input/declared-tags.ts";
import { rankingOf, usageRankingInput } from "./input.ts";
import { procedure } from "../trpc.ts";

/** Which users used how much. */
export const usageByUser = procedure("admin.usageByUser")
  .input(usageRankingInput)
  .query(({ ctx, input }) => rank(ctx, rankingOf("user", input)));

/** Which apps. */
export const usageByApp = procedure("admin.usageByApp")
  .input(usageRankingInput)
  .query(({ ctx, input }) => rank(ctx, rankingOf("app", input)));

/** Which models, of which providers. */
export const usageByModel = procedure("admin.usageByModel")
  .input(usageRankingInput)
  .query(({ ctx, input }) => rank(ctx, rankingOf("model", input)));

/** Answers a ranking, always from the database: nothing of it is cached. */
export async function rank<By extends RankedBy>(
  { ports, now, costs, signal }: Reaching<"ranking" | "recordLimits", "now" | "costs" | "signal">,
  query: UsageRankingQuery & { by: By },
): Promise<UsageRanking<By>> {
  refuseUndeclaredTags(query, ports.recordLimits.tags);
  const { ranking, cost } = await getUsageRanking(
    { repository: ports.ranking, now, signal: signal?.() },
    query,
  );
  costs.push(cost);
  return ranking;
}
