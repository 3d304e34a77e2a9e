import { rebuild } from "./rebuild-procedure.ts";
import { router } from "./trpc.ts";
import { adminUsageStats, usageStats } from "./usage-stats-procedure.ts";

export const appRouter = router({
  usageStats,
  admin: router({ usageStats: adminUsageStats, rebuild }),
});

export type AppRouter = typeof appRouter;
