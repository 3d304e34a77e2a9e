export {
  createUsageClient,
  type CallOptions,
  type UsageClient,
  type UsageClientOptions,
  type UsageStatsQuery,
} from "./create-usage-client.ts";
export { usageErrorOf, type UsageErrorInfo } from "./usage-error.ts";
export type { UsageStats } from "@usage-stats/api";
