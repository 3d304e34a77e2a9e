import { CALL_STATUSES, CALL_TYPES, type CallType, type ModelCall } from "@usage-stats/core";
import * as z from "zod";
import { callTime } from "./model-call-time.ts";
import { credits } from "./model-call-credits.ts";
import { metadata } from "./model-call-metadata.ts";

const MAX_NUMBER = 1e12;
const MAX_ERROR_REASON = 1000;
// Four names and the time make a key of the finest rollups, and PostgreSQL keys end at 2,704 bytes: without a limit in
// bytes, one call with long Chinese names would be recorded and then stop the rollups for everyone.
const MAX_NAME_BYTES = 512;

const encoder = new TextEncoder();

function text(max: number) {
  const error = `must be text of at most ${max} characters`;
  return z
    .string({ error })
    .max(max, error)
    .refine(isStorable, "must not contain NUL or half of a character");
}

function name(max: number) {
  const error = `must be text of 1 to ${max} characters`;
  return z
    .string({ error })
    .min(1, error)
    .max(max, error)
    .refine(
      (value) => !/\p{Cc}/u.test(value) && value.isWellFormed(),
      "must not contain control characters or half of a character",
    )
    .refine(
      (value) => value.length * 3 <= MAX_NAME_BYTES || encoder.encode(value).length <= MAX_NAME_BYTES,
      `must be at most ${MAX_NAME_BYTES} bytes long in UTF-8`,
    );
}

function isStorable(value: string): boolean {
  return !value.includes("\0") && value.isWellFormed();
}

function oneOf<const Values extends readonly [string, ...string[]]>(values: Values) {
  return z.enum(values, `must be one of ${values.join(", ")}`);
}

const orUnknown = <Schema extends z.ZodType>(schema: Schema) => schema.nullable().default(null as never);

const countError = `must be a whole number from 0 to ${MAX_NUMBER.toLocaleString("en")}, or null where unknown`;
const count = orUnknown(z.int(countError).min(0, countError).max(MAX_NUMBER, countError));

const durationError = `must be milliseconds from 0 to ${MAX_NUMBER.toLocaleString("en")}, or null where unknown`;
const duration = orUnknown(
  z.number(durationError).min(0, durationError).max(MAX_NUMBER, durationError).transform(Math.round),
);

const errorReason = z
  .string("must be text")
  .refine(isStorable, "must not contain NUL or half of a character")
  // Cutting between the halves of a character would leave the first one behind.
  .transform((reason) =>
    reason.length > MAX_ERROR_REASON ? reason.slice(0, MAX_ERROR_REASON).replace(/\p{Cs}$/u, "") : reason,
  );

const COUNTED_IN_TOKENS = new Set<CallType>(["chatCompletion", "embedding", "audioGeneration", "custom"]);

/** What tells a call from all others. */
export const callIdentitySchema = z.strictObject({ id: name(128), userDid: name(256), callTime });

/**
 * One call as a gateway logs it, to the call as it is recorded. Absent and `null` both mean unknown. Its messages
 * continue a sentence that begins with the field's name; `parseModelCall` finishes them.
 */
export const modelCallSchema = z
  .strictObject({
    ...callIdentitySchema.shape,
    appDid: orUnknown(name(256)),
    providerId: name(256),
    model: name(256),
    type: oneOf(CALL_TYPES),
    status: oneOf(CALL_STATUSES),
    inputTokens: count,
    outputTokens: count,
    cachedInputTokens: count,
    totalUsage: count,
    credits,
    durationMs: duration,
    ttfbMs: duration,
    errorReason: orUnknown(errorReason),
    requestId: orUnknown(text(256)),
    traceId: orUnknown(text(256)),
    metadata: orUnknown(metadata),
  })
  .transform((call): ModelCall => {
    const tokensKnown = call.inputTokens !== null || call.outputTokens !== null;
    if (call.totalUsage === null && tokensKnown && COUNTED_IN_TOKENS.has(call.type)) {
      call.totalUsage = (call.inputTokens ?? 0) + (call.outputTokens ?? 0);
    }
    return call;
  });

/** A call as it is sent. */
export type ModelCallInput = z.input<typeof modelCallSchema>;

/** Why a value is not a call: `value` is what `field` held, `reason` a sentence for a person. */
export type ModelCallFault = { field: string; value: unknown; reason: string };

/** Reads one logged call; says of a bad one the first thing that is wrong. Never throws. */
export function parseModelCall(value: unknown): { call: ModelCall } | ModelCallFault {
  const parsed = modelCallSchema.safeParse(value);
  return parsed.success ? { call: parsed.data } : faultOf(parsed.error.issues[0]!, value);
}

/** Says in words what a schema found wrong with a call. */
export function faultOf(issue: z.core.$ZodIssue, input: unknown): ModelCallFault {
  if (issue.code === "unrecognized_keys") {
    const field = issue.keys[0]!;
    return {
      field,
      value: valueOf(input, field),
      reason: `A call has no field named ${JSON.stringify(field.slice(0, 100))}.`,
    };
  }
  const field = issue.path[0];
  if (typeof field !== "string") return { field: "", value: input, reason: "A call must be a JSON object." };
  const value = valueOf(input, field);
  return {
    field,
    value,
    reason: value === undefined ? `${field} is missing.` : `${field} ${issue.message}.`,
  };
}

function valueOf(input: unknown, field: string): unknown {
  return Object.getOwnPropertyDescriptor(input, field)?.value;
}
