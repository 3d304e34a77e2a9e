import { list } from "./calls/list-procedure.ts";
import { record } from "./calls/record-procedure.ts";
import { rebuild } from "./rebuild-procedure.ts";
import { keys } from "./keys/key-procedures.ts";
import { router } from "./trpc.ts";
import { adminUsageStats, usageStats } from "./usage-stats-procedure.ts";
import { usageByApp, usageByModel, usageByUser } from "./usage-ranking-procedures.ts";
import { createViewerToken } from "./viewer-token-procedure.ts";

export const appRouter = router({
  usageStats,
  admin: router({ usageStats: adminUsageStats, usageByUser, usageByApp, usageByModel, rebuild, keys }),
  modelCalls: router({ record, list }),
  viewerTokens: router({ create: createViewerToken }),
});

export type AppRouter = typeof appRouter;
