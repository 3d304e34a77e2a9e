import { type CallField, type FieldFor } from "./call-field.ts";
import { type CallTags } from "./call-tags.ts";

export const CALL_TYPES = [
  "chatCompletion",
  "embedding",
  "imageGeneration",
  "audioGeneration",
  "video",
  "custom",
] as const;
export type CallType = (typeof CALL_TYPES)[number];

export const CALL_STATUSES = ["processing", "success", "failed"] as const;
export type CallStatus = (typeof CALL_STATUSES)[number];

/**
 * One call of a model, as a gateway logged it. It is identified by `(userDid, id, callTime)`.
 * `null` means unknown, which is not zero: an unknown count adds nothing and is left out of averages.
 */
export type ModelCall = {
  id: string;
  userDid: string;
  appDid: string | null;
  providerId: string;
  model: string;
  type: CallType;
  status: CallStatus;
  /** When the call started, to the millisecond. */
  callTime: Date;
  inputTokens: number | null;
  outputTokens: number | null;
  cachedInputTokens: number | null;
  cacheWriteTokens: number | null;
  reasoningTokens: number | null;
  /** In the type's own unit: tokens, images, or seconds of video. */
  totalUsage: number | null;
  /** A decimal with at most 8 places, never a float; `null` where nobody knows a price. */
  credits: string | null;
  durationMs: number | null;
  ttfbMs: number | null;
  errorReason: string | null;
  requestId: string | null;
  traceId: string | null;
  metadata: Record<string, unknown> | null;
  /** Which of the user's API keys made it. */
  keyId: string | null;
  /** Of tags that the operator declared; never empty. */
  tags: CallTags | null;
  /** The run of an agent that it belongs to, and the run that began that one. */
  runId: string | null;
  parentRunId: string | null;
  conversationId: string | null;
};

// Four of them and the time make a key of the finest rollups, and PostgreSQL keys end at 2,704 bytes: without a limit in
// bytes, one call with long Chinese names would be recorded and then stop the rollups for everyone.
const NAME = { kind: "name", max: 256, maxBytes: 512 } as const;
/** The name of something that a gateway made up, such as a UUID. */
const SHORT_NAME = { kind: "name", max: 128, maxBytes: 256 } as const;

/**
 * The fields of a call by their names, which are those of the API and of CSV, in the order of CSV. To add one, say it in `ModelCall` and
 * here, and add its column with a migration.
 */
export const CALL_FIELDS = {
  id: {
    kind: "name",
    max: 128,
    maxBytes: 512,
    column: "id",
    required: true,
    about: "Tells it from the user's other calls of the same instant.",
  },
  userDid: { ...NAME, column: "user_did", required: true, about: "Whose call it is." },
  appDid: { ...NAME, column: "app_did", about: "The app that made it." },
  providerId: { ...NAME, column: "provider_id", required: true, about: "Who runs the model." },
  model: {
    ...NAME,
    column: "model",
    required: true,
    about: "The model, by its provider's name.",
  },
  type: { kind: "choice", values: CALL_TYPES, column: "type", required: true, about: "What it was for." },
  status: {
    kind: "choice",
    values: CALL_STATUSES,
    column: "status",
    required: true,
    about: "How it ended, or that it has not.",
  },
  callTime: { kind: "instant", column: "call_time", required: true, about: "When it started." },
  inputTokens: {
    kind: "count",
    column: "input_tokens",
    about: "Tokens sent, cached and cache-written ones included.",
  },
  outputTokens: {
    kind: "count",
    column: "output_tokens",
    about: "Tokens that came back, those of reasoning included.",
  },
  cachedInputTokens: {
    kind: "count",
    column: "cached_input_tokens",
    about: "Those of the tokens sent that the provider had cached.",
  },
  cacheWriteTokens: {
    kind: "count",
    column: "cache_write_tokens",
    about: "Those of the tokens sent that the provider put into its cache.",
  },
  reasoningTokens: {
    kind: "count",
    column: "reasoning_tokens",
    about: "Those of the tokens that came back which the model thought with.",
  },
  totalUsage: {
    kind: "count",
    column: "total_usage",
    about:
      "In the type's own unit: tokens, images, or seconds of video. Where calls are counted in tokens, the sum of both unless it is said.",
  },
  credits: { kind: "decimal", column: "credits", about: "What it cost; unknown is not 0." },
  durationMs: { kind: "milliseconds", column: "duration_ms", about: "How long it took." },
  ttfbMs: { kind: "milliseconds", column: "ttfb_ms", about: "How long until the first piece of the answer." },
  errorReason: { kind: "cut_text", max: 1000, column: "error_reason", about: "Why it failed." },
  requestId: { kind: "text", max: 256, column: "request_id", about: "The provider's name for it." },
  traceId: { kind: "text", max: 256, column: "trace_id", about: "The trace it belongs to." },
  metadata: {
    kind: "object",
    column: "metadata",
    about: "Whatever else the gateway knows: at most 4,096 bytes of JSON, nested at most 12 levels deep.",
  },
  keyId: { ...SHORT_NAME, column: "key_id", about: "Which of the user's API keys made it." },
  tags: {
    kind: "tags",
    column: "tags",
    about: "What it was for in the operator's own words: a value for each tag of `TAGS` that is said.",
  },
  runId: {
    ...SHORT_NAME,
    column: "run_id",
    about: "The run of an agent, or of a workflow, that it belongs to.",
  },
  parentRunId: { ...SHORT_NAME, column: "parent_run_id", about: "The run that began that run." },
  conversationId: { ...SHORT_NAME, column: "conversation_id", about: "The conversation that it belongs to." },
} as const satisfies { [Name in keyof ModelCall]: FieldFor<ModelCall[Name]> };

export type CallFieldName = keyof ModelCall;

/** The names of fields that a call is none without. */
export type RequiredFieldName = {
  [Name in CallFieldName]: (typeof CALL_FIELDS)[Name] extends { required: true } ? Name : never;
}[CallFieldName];

export const CALL_FIELD_NAMES = Object.keys(CALL_FIELDS) as CallFieldName[];

/** What tells a call from all others. */
export const CALL_IDENTITY = ["userDid", "id", "callTime"] as const satisfies CallFieldName[];

/** Everything else that is said of a call, in the order of CSV. */
export const CALL_CONTENT = CALL_FIELD_NAMES.filter(
  (name) => !(CALL_IDENTITY as readonly CallFieldName[]).includes(name),
);

/** What a call holds where nothing but the required fields is known. */
export const NOTHING_KNOWN = Object.fromEntries(
  CALL_FIELD_NAMES.flatMap((name) => {
    const field: CallField = CALL_FIELDS[name];
    return field.required === true ? [] : [[name, null]];
  }),
) as Omit<ModelCall, RequiredFieldName>;

/** A call that is to count nowhere any more. */
export type CallVoid = Pick<ModelCall, (typeof CALL_IDENTITY)[number]> & { void: true };

/** What a gateway sends: a call as it is now, or that it is void. */
export type CallChange = ModelCall | CallVoid;

/**
 * What recording did. `repeated` changed nothing, `corrected` replaced the call's earlier content. `stays_void`: the call was
 * voided, so that other content is not taken any more. `unknown`: there is no call to be voided. `not_kept`: the calls of its time
 * were dropped or are kept elsewhere, so that nobody can tell whether it was counted.
 */
export type RecordOutcome =
  | "added"
  | "repeated"
  | "corrected"
  | "voided"
  | "stays_void"
  | "unknown"
  | "not_kept";
