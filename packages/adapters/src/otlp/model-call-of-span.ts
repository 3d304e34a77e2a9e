import { CALL_FIELDS, type CallFieldName, type CallType, isName } from "@usage-stats/core";
import { type Attributes, textOf, valueOf } from "./attributes.ts";
import { type Span } from "./trace-request.ts";

// Names of https://github.com/open-telemetry/semantic-conventions-genai, and after them those they had before.
const OPERATION = "gen_ai.operation.name";
const PROVIDER = ["gen_ai.provider.name", "gen_ai.system"];
const MODEL = ["gen_ai.request.model", "gen_ai.response.model"];
const INPUT_TOKENS = ["gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"];
const OUTPUT_TOKENS = ["gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"];
const CACHED_TOKENS = "gen_ai.usage.cache_read.input_tokens";
const CACHE_WRITE_TOKENS = [
  "gen_ai.usage.cache_write.input_tokens",
  "gen_ai.usage.cache_creation.input_tokens",
];
const REASONING_TOKENS = "gen_ai.usage.reasoning.output_tokens";
const TIME_TO_FIRST_CHUNK = "gen_ai.response.time_to_first_chunk";
const USER = ["usage_stats.user_did", "enduser.id", "user.id"];
const OWN_TYPE = "usage_stats.type";
const CONVERSATION = "gen_ai.conversation.id";
const TAGS = "usage_stats.tags.";

/** Where a field of a call comes from, for whoever is told that it is wrong. */
export const SOURCES: Record<string, string> = {
  userDid: USER.join(", "),
  appDid: "usage_stats.app_did, service.name",
  providerId: PROVIDER.join(", "),
  model: MODEL.join(", "),
  type: OWN_TYPE,
  callTime: "startTimeUnixNano",
  inputTokens: INPUT_TOKENS.join(", "),
  outputTokens: OUTPUT_TOKENS.join(", "),
  cachedInputTokens: CACHED_TOKENS,
  cacheWriteTokens: CACHE_WRITE_TOKENS.join(", "),
  reasoningTokens: REASONING_TOKENS,
  totalUsage: "usage_stats.total_usage",
  credits: "usage_stats.credits",
  ttfbMs: TIME_TO_FIRST_CHUNK,
  requestId: "gen_ai.response.id",
  keyId: "usage_stats.key_id",
  tags: `${TAGS}<name>`,
  runId: "usage_stats.run_id",
  parentRunId: "usage_stats.parent_run_id",
} satisfies Partial<Record<CallFieldName, string>>;

const CALL_OF_OPERATION: ReadonlyMap<unknown, CallType> = new Map([
  ["chat", "chatCompletion"],
  ["text_completion", "chatCompletion"],
  ["generate_content", "chatCompletion"],
  ["embeddings", "embedding"],
]);
const CALL_OF_OUTPUT: ReadonlyMap<unknown, CallType> = new Map([
  ["image", "imageGeneration"],
  ["speech", "audioGeneration"],
]);

// Whoever serves, queues or takes a request from a queue is not who calls the model.
const KINDS_THAT_CALL = new Set([0, 1, 3]);
const ERROR = 2;

/** What a span says of a model call, in the fields of a call as the API takes it; not checked. */
export type SpanCall = Partial<Record<CallFieldName, unknown>> & { id: string };

/**
 * The call that a span stands for, with those of its tags that are `declared`, or `null` for a span that is not a client's call of a model. A span of an agent, a workflow or a
 * tool is none: its model calls have spans of their own, and would count twice.
 */
export function modelCallOfSpan(
  span: Span,
  own: Attributes,
  resource: Attributes,
  declared: readonly string[],
): SpanCall | null {
  const type = callType(own);
  if (type === undefined || !KINDS_THAT_CALL.has(span.kind ?? 0)) return null;
  const both = [own, resource];
  const startMs = milliseconds(span.startTimeUnixNano);
  const endMs = milliseconds(span.endTimeUnixNano);
  const errorType = textOf([own], "error.type");
  const failed = span.status?.code === ERROR || errorType !== undefined;
  const traceId = span.traceId?.toLowerCase() ?? "";
  return {
    id: `${traceId}:${span.spanId?.toLowerCase() ?? ""}`,
    userDid: textOf(both, ...USER),
    appDid: textOf(both, "usage_stats.app_did") ?? serviceName(resource),
    providerId: textOf([own], ...PROVIDER),
    model: textOf([own], ...MODEL),
    type,
    status: failed ? "failed" : "success",
    callTime: startMs === null ? undefined : new Date(startMs).toISOString(),
    inputTokens: valueOf([own], ...INPUT_TOKENS),
    outputTokens: valueOf([own], ...OUTPUT_TOKENS),
    cachedInputTokens: valueOf([own], CACHED_TOKENS),
    cacheWriteTokens: valueOf([own], ...CACHE_WRITE_TOKENS),
    reasoningTokens: valueOf([own], REASONING_TOKENS),
    totalUsage: valueOf([own], "usage_stats.total_usage"),
    credits: valueOf([own], "usage_stats.credits"),
    durationMs: startMs === null || endMs === null || endMs < startMs ? undefined : endMs - startMs,
    ttfbMs: inMilliseconds(valueOf([own], TIME_TO_FIRST_CHUNK)),
    errorReason: failed ? [errorType, span.status?.message].filter(Boolean).join(": ") || null : null,
    requestId: textOf([own], "gen_ai.response.id"),
    traceId,
    keyId: textOf(both, "usage_stats.key_id"),
    tags: tagsOf(both, declared),
    runId: textOf([own], "usage_stats.run_id"),
    parentRunId: textOf([own], "usage_stats.parent_run_id"),
    conversationId: conversationOf(own),
    metadata: metadataOf(own),
  };
}

function callType(own: Attributes): string | undefined {
  const said = textOf([own], OWN_TYPE);
  if (said !== undefined) return said;
  const byOperation = CALL_OF_OPERATION.get(own.get(OPERATION));
  return byOperation && (CALL_OF_OUTPUT.get(own.get("gen_ai.output.type")) ?? byOperation);
}

/** What an SDK calls a service that nobody named says nothing. */
function serviceName(resource: Attributes): string | undefined {
  const name = textOf([resource], "service.name");
  return name?.startsWith("unknown_service") ? undefined : name;
}

/** Nanoseconds since 1970, cut to the millisecond as any other call's time; `null` for none. 64 bits of them end in 2554. */
function milliseconds(nanoseconds: string | number | null | undefined): number | null {
  const text = String(nanoseconds ?? "");
  const ms = /^\d{1,20}$/.test(text) ? Number(BigInt(text) / 1_000_000n) : 0;
  return ms > 0 ? ms : null;
}

function inMilliseconds(seconds: unknown): unknown {
  return typeof seconds === "number" ? seconds * 1000 : seconds;
}

/** What others call a conversation is no reason to reject a call: where it cannot be a name, the metadata alone has its beginning. */
function conversationOf(own: Attributes): string | undefined {
  const id = textOf([own], CONVERSATION);
  return id !== undefined && isName(id, CALL_FIELDS.conversationId) ? id : undefined;
}

function tagsOf(both: Attributes[], declared: readonly string[]): Record<string, string> | undefined {
  const tags = declared.flatMap((name) => {
    const value = textOf(both, TAGS + name);
    return value === undefined ? [] : [[name, value] as const];
  });
  return tags.length === 0 ? undefined : Object.fromEntries(tags);
}

const LONGEST_METADATA = 200;

function metadataOf(own: Attributes): Record<string, string> | null {
  const kept = Object.entries({
    operation: textOf([own], OPERATION),
    responseModel: textOf([own], "gen_ai.response.model"),
    conversationId: textOf([own], CONVERSATION),
  }).flatMap(([name, value]) => (value === undefined ? [] : [[name, shortened(value)]]));
  return kept.length === 0 ? null : (Object.fromEntries(kept) as Record<string, string>);
}

function shortened(text: string): string {
  return text.replaceAll("\0", "").slice(0, LONGEST_METADATA).toWellFormed();
}
