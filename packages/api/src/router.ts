import { router } from "./trpc.ts";
import { adminUsageStats, usageStats } from "./usage-stats-procedure.ts";

export const appRouter = router({
  usageStats,
  admin: router({ usageStats: adminUsageStats }),
});

export type AppRouter = typeof appRouter;
