export {
  createUsageClient,
  type CallOptions,
  type CallVoidInput,
  type ListCallsInput,
  type CreateKeyInput,
  type RebuildInput,
  type UsageClient,
  type UsageClientOptions,
  type UsageRankingInput,
  type UsageStatsInput,
} from "./create-usage-client.ts";
export { type CallRecorder, createCallRecorder } from "./recording/create-call-recorder.ts";
export type {
  CallRecorderOptions,
  DeliveryProblem,
  RecordedCall,
  RefusedBecause,
} from "./recording/call-recorder-options.ts";
export { usageStatsErrorOf, type UsageStatsErrorInfo } from "./usage-error.ts";
export type {
  ApiKey,
  NewApiKey,
  Percentiles,
  RebuildAnswer,
  RunUsage,
  UsageRanking,
  UsageStats,
  ViewerToken,
} from "@usage-stats/api";
