import { allowEveryonesUsage, allowUsage } from "./allowed-question.ts";
import { answer } from "./answer.ts";
import { askedOf, everyonesUsageStatsInput, usageStatsInput } from "./contract/usage-stats-input.ts";
import { procedure } from "./trpc.ts";

/** Usage of one user: the caller, or anyone for those who may read anyone's. */
export const usageStats = procedure("usageStats")
  .input(usageStatsInput)
  .query(({ ctx, input }) => answer(ctx, allowUsage(ctx.identity, askedOf(input))));

/** Usage of all users together. */
export const adminUsageStats = procedure("admin.usageStats")
  .input(everyonesUsageStatsInput)
  .query(({ ctx, input }) => answer(ctx, allowEveryonesUsage(ctx.identity, askedOf(input))));
