import { type DatabaseCost, getUsageStats, type UsageStats, type UsageStatsInput } from "@usage-stats/core";
import { type z } from "zod";
import { type ApiContext } from "./context.ts";
import { usageStatsInput } from "./contract/usage-stats-input.ts";
import { requireAdmin, scopeOf } from "./identity.ts";
import { procedure } from "./trpc.ts";

/** Usage of one user: the caller, or for admins anyone. */
export const usageStats = procedure
  .input(usageStatsInput)
  .query(({ ctx, input }) =>
    answer(ctx, { ...toQuestion(input), userDid: scopeOf(ctx.identity, input.userDid) }),
  );

/** Usage of all users together, for admins. */
export const adminUsageStats = procedure
  .input(usageStatsInput.omit({ userDid: true }))
  .query(({ ctx, input }) => {
    requireAdmin(ctx.identity);
    return answer(ctx, { ...toQuestion(input), userDid: null });
  });

/** Answers a question and notes what it cost. */
export async function answer(
  ctx: Pick<ApiContext, "repository" | "clock" | "costs">,
  question: UsageStatsInput,
): Promise<UsageStats> {
  const { stats, cost } = await getUsageStats(ctx, question);
  ctx.costs.push(cost satisfies DatabaseCost);
  return stats;
}

type Input = Omit<z.output<typeof usageStatsInput>, "userDid">;

function toQuestion({ from, to, limit, cursor, filter, ...rest }: Input): Omit<UsageStatsInput, "userDid"> {
  return {
    ...rest,
    from: new Date(from),
    to: new Date(to),
    filter: withoutUndefined(filter),
    ...(limit !== undefined && { limit }),
    ...(cursor !== undefined && { cursor }),
  };
}

function withoutUndefined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as never;
}
