export {
  createUsageClient,
  type CallOptions,
  type CallVoidInput,
  type NewKeyQuery,
  type RebuildQuery,
  type UsageClient,
  type UsageClientOptions,
  type UsageRankingQuery,
  type UsageStatsQuery,
} from "./create-usage-client.ts";
export { usageErrorOf, type UsageErrorInfo } from "./usage-error.ts";
export type {
  ApiKey,
  NewApiKey,
  RebuildAnswer,
  UsageRanking,
  UsageStats,
  ViewerToken,
} from "@usage-stats/api";
