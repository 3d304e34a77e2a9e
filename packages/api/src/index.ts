export { type Actor, actorOf } from "./audit.ts";
export { readEveryonesUsage, readUsage, type Unauthorized } from "./authorize-query.ts";
export { answer } from "./answer.ts";
export { type AnswerFormat, REST_JSON, textFormat } from "./answer-formats.ts";
export type {
  OnQuery,
  Ports,
  RecordLimits,
  RequestContext,
  SignViewerToken,
  ViewerToken,
} from "./context.ts";
export {
  createKeyInput,
  type CreateKeyInput,
  rotateKeyInput,
  type RotateKeyInput,
} from "./contract/api-key-input.ts";
export {
  type CallResult,
  type RecordAnswer,
  recordCalls,
  type RecordContext,
  type RejectionCode,
} from "./calls/record-calls.ts";
export { type ModelCallInput, parseModelCall } from "./contract/model-call.ts";
export { authorizeCalls, readCallList } from "./calls/list-procedure.ts";
export type { ListCallsInput } from "./contract/list-calls-input.ts";
export { readListCallsQuery } from "./rest/list-calls-query.ts";
export { readCallsBody } from "./rest/calls-body.ts";
export { rebuildInput, type RebuildInput } from "./contract/rebuild-input.ts";
export { usageStatsInput, type UsageStatsInput } from "./contract/usage-stats-input.ts";
export { userName } from "./contract/wire-text.ts";
export { viewerTokenInput, type ViewerTokenInput } from "./contract/viewer-token-input.ts";
export { inputError, publicError, toTrpcError, type PublicError } from "./errors.ts";
export { ACCESS, authorize, type Budget, budgetOf, type GuardedOperation, isGuarded } from "./access.ts";
export { allowFilter, type Identity, type Role, SCOPES_OF_ROLE } from "./identity.ts";
export { hashOfSecret, isKeyText, parseKeyText } from "./keys/key-text.ts";
export { createKey, type KeyContext, type NewApiKey, revokeKey, rotateKey } from "./keys/manage-keys.ts";
export { issueViewerToken } from "./viewer-token-procedure.ts";
export { cachedTrpcAnswers, MAX_BATCH_SIZE } from "./cached-trpc-answers.ts";
export { createRequestSize, type RequestSize } from "./request-size.ts";
export type { RestUsageStats } from "./rest/rest-usage-stats.ts";
export { startRebuild, type RebuildAnswer } from "./rebuild-procedure.ts";
export { readBody } from "./rest/read-body.ts";
export { inRestTerms } from "./rest/rest-terms.ts";
export { readUsageStatsQuery } from "./rest/usage-stats-query.ts";
export { readRecordCallsQuery } from "./rest/record-calls-query.ts";
export { readUsageRankingQuery } from "./rest/usage-ranking-query.ts";
export { rank } from "./usage-ranking-procedures.ts";
export type { UsageRankingInput } from "./contract/usage-ranking-input.ts";
export { appRouter, type AppRouter } from "./router.ts";
export type { ApiKey, CallList, ListedCall, RankedBy, UsageRanking, UsageStats } from "@usage-stats/core";
