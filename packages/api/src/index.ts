export type { ApiContext } from "./context.ts";
export { usageStatsInput, type UsageStatsRequest } from "./contract/usage-stats-input.ts";
export { publicError, type PublicError } from "./errors.ts";
export { requireAdmin, scopeOf, type Identity } from "./identity.ts";
export { toRestUsageStats, type RestUsageStats } from "./rest/rest-usage-stats.ts";
export { inRestTerms, readUsageStatsQuery, type RestQuestion } from "./rest/usage-stats-query.ts";
export { appRouter, type AppRouter } from "./router.ts";
export { answer } from "./usage-stats-procedure.ts";
export type { UsageStats } from "@usage-stats/core";
