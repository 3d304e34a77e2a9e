export {
  createUsageClient,
  type CallOptions,
  type CallVoidInput,
  type ListCallsQuery,
  type NewKeyQuery,
  type RebuildQuery,
  type UsageClient,
  type UsageClientOptions,
  type UsageRankingQuery,
  type UsageStatsQuery,
} from "./create-usage-client.ts";
export { type CallRecorder, createCallRecorder } from "./recording/create-call-recorder.ts";
export type {
  CallRecorderOptions,
  DeliveryProblem,
  RecordedCall,
  RefusedBecause,
} from "./recording/call-recorder-options.ts";
export { usageErrorOf, type UsageErrorInfo } from "./usage-error.ts";
export type {
  ApiKey,
  NewApiKey,
  RebuildAnswer,
  UsageRanking,
  UsageStats,
  ViewerToken,
} from "@usage-stats/api";
