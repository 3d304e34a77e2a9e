export { type Actor, actorOf } from "./audit.ts";
export { authorizeEveryonesUsage, authorizeUsage, type Unauthorized } from "./usage/read-usage.ts";
export { answer, type AnswerLookup, cachedAnswer, lookupOf } from "./usage/answer.ts";
export { type AnswerFormat, REST_JSON, REST_JSON_WITH_SHARES, textFormat } from "./usage/answer-formats.ts";
export type { OnQuery, Ports, RecordLimits, RequestContext, ViewerToken } from "./context.ts";
export { createKeyInput, type CreateKeyInput, rotateKeyInput, type RotateKeyInput } from "./keys/input.ts";
export {
  type CallResult,
  type RecordAnswer,
  recordCalls,
  type RecordContext,
  type RejectionCode,
} from "./calls/record-calls.ts";
export { type ModelCallInput, parseModelCall } from "./calls/model-call.ts";
export { authorizeCalls, readCallList } from "./calls/list-procedure.ts";
export type { ListCallsInput } from "./calls/list-input.ts";
export { readListCallsQuery } from "./calls/list-rest.ts";
export { readCallsBody } from "./calls/record-body.ts";
export { rebuildInput, type RebuildInput } from "./rollups/input.ts";
export { usageStatsInput, type UsageStatsInput } from "./usage/input.ts";
export { userName } from "./input/wire-text.ts";
export { viewerTokenInput, type ViewerTokenInput } from "./viewer-tokens/input.ts";
export { inputError, publicError, toTrpcError, type PublicError } from "./errors.ts";
export { ACCESS, authorize, type Budget, budgetOf, type GuardedOperation, isGuarded } from "./access.ts";
export { createKey, type KeyContext, type NewApiKey, revokeKey, rotateKey } from "./keys/manage-keys.ts";
export { issueViewerToken } from "./viewer-tokens/procedure.ts";
export { type CachedTrpcAnswers, cachedTrpcAnswers, MAX_BATCH_SIZE } from "./usage/cached-trpc-answers.ts";
export { createRequestSize, type RequestSize } from "./request-size.ts";
export type { RestUsageStats } from "./usage/rest-result.ts";
export { startRebuild, type RebuildAnswer } from "./rollups/procedure.ts";
export { readRunUsage } from "./runs/procedure.ts";
export { readConversationUsageQuery, readRunUsageQuery } from "./runs/rest.ts";
export type { ConversationUsageInput, RunUsageInput } from "./runs/input.ts";
export { readBody } from "./rest/read-body.ts";
export { inRestTerms } from "./rest/rest-terms.ts";
export { readUsageStatsQuery } from "./usage/rest.ts";
export { readRecordCallsQuery } from "./calls/record-rest.ts";
export { readUsageRankingQuery } from "./ranking/rest.ts";
export { rank } from "./ranking/procedure.ts";
export type { UsageRankingInput } from "./ranking/input.ts";
export { appRouter, type AppRouter } from "./router.ts";
export type {
  ApiKey,
  CallList,
  ListedCall,
  Percentiles,
  RankedBy,
  RunUsage,
  UsageRanking,
  UsageStats,
} from "@usage-stats/core";
