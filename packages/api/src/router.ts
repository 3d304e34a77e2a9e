import { list } from "./calls/list-procedure.ts";
import { record } from "./calls/record-procedure.ts";
import { conversationUsage, runUsage } from "./runs/procedure.ts";
import { rebuild } from "./rollups/procedure.ts";
import { keys } from "./keys/procedure.ts";
import { router } from "./trpc.ts";
import { adminUsageStats, usageStats } from "./usage/procedure.ts";
import { usageByApp, usageByModel, usageByUser } from "./ranking/procedure.ts";
import { createViewerToken } from "./viewer-tokens/procedure.ts";

export const appRouter = router({
  usageStats,
  admin: router({ usageStats: adminUsageStats, usageByUser, usageByApp, usageByModel, rebuild, keys }),
  runUsage,
  conversationUsage,
  modelCalls: router({ record, list }),
  viewerTokens: router({ create: createViewerToken }),
});

export type AppRouter = typeof appRouter;
