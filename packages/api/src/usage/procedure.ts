import { readEveryonesUsage, readUsage } from "./read-usage.ts";
import { TRPC } from "./answer-formats.ts";
import { everyonesUsageStatsInput, usageStatsInput } from "./input.ts";
import { procedure } from "../trpc.ts";

/** Usage of one user: the caller, or anyone for those who may read anyone's. */
export const usageStats = procedure("usageStats")
  .input(usageStatsInput)
  .query(({ ctx, input }) => readUsage(ctx, input, TRPC));

/** Usage of all users together. */
export const adminUsageStats = procedure("admin.usageStats")
  .input(everyonesUsageStatsInput)
  .query(({ ctx, input }) => readEveryonesUsage(ctx, input, TRPC));
