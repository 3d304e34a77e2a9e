import { type ModelCall } from "@usage-stats/core";

type ColumnOf<Call> = { name: string; type: string; value: (call: Call) => string | number | null };
export type Column = ColumnOf<ModelCall>;
export type Identity = Pick<ModelCall, "userDid" | "id" | "callTime">;

export const IDENTITY_COLUMNS: ColumnOf<Identity>[] = [
  { name: "user_did", type: "text", value: (call) => call.userDid },
  { name: "id", type: "text", value: (call) => call.id },
  { name: "call_time", type: "timestamptz", value: (call) => call.callTime.toISOString() },
];

/** Everything else a gateway says of a call: a change in any of these makes a repeat a correction. */
export const CONTENT_COLUMNS: Column[] = [
  { name: "app_did", type: "text", value: (call) => call.appDid },
  { name: "provider_id", type: "text", value: (call) => call.providerId },
  { name: "model", type: "text", value: (call) => call.model },
  { name: "type", type: "text", value: (call) => call.type },
  { name: "status", type: "text", value: (call) => call.status },
  { name: "input_tokens", type: "bigint", value: (call) => call.inputTokens },
  { name: "output_tokens", type: "bigint", value: (call) => call.outputTokens },
  { name: "cached_input_tokens", type: "bigint", value: (call) => call.cachedInputTokens },
  { name: "total_usage", type: "bigint", value: (call) => call.totalUsage },
  { name: "credits", type: "numeric", value: (call) => call.credits },
  { name: "duration_ms", type: "bigint", value: (call) => call.durationMs },
  { name: "ttfb_ms", type: "bigint", value: (call) => call.ttfbMs },
  { name: "error_reason", type: "text", value: (call) => call.errorReason },
  { name: "request_id", type: "text", value: (call) => call.requestId },
  { name: "trace_id", type: "text", value: (call) => call.traceId },
  { name: "metadata", type: "jsonb", value: (call) => call.metadata && JSON.stringify(call.metadata) },
];
