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
  /** In the type's own unit: tokens, images, or seconds of video. */
  totalUsage: number | null;
  /** A decimal with at most 8 places, never a float. */
  credits: string;
  durationMs: number | null;
  ttfbMs: number | null;
  errorReason: string | null;
  requestId: string | null;
  traceId: string | null;
  metadata: Record<string, unknown> | null;
};

/** A call that is to count nowhere any more. */
export type CallVoid = Pick<ModelCall, "userDid" | "id" | "callTime"> & { void: true };

/** What a gateway sends: a call as it is now, or that it is void. */
export type CallChange = ModelCall | CallVoid;

/**
 * What recording did. `repeated` changed nothing, `corrected` replaced the call's earlier content. `stays void`: the call was
 * voided, so that other content is not taken any more. `unknown`: there is no call to be voided. `not kept`: the calls of its time
 * were dropped or are kept elsewhere, so that nobody can tell whether it was counted.
 */
export type RecordOutcome =
  | "added"
  | "repeated"
  | "corrected"
  | "voided"
  | "stays void"
  | "unknown"
  | "not kept";
