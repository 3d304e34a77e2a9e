export {
  createUsageClient,
  type CallOptions,
  type RebuildQuery,
  type UsageClient,
  type UsageClientOptions,
  type UsageStatsQuery,
} from "./create-usage-client.ts";
export { usageErrorOf, type UsageErrorInfo } from "./usage-error.ts";
export type { RebuildAnswer, UsageStats } from "@usage-stats/api";
