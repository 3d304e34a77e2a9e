import {
  CALL_CONTENT,
  CALL_FIELDS,
  type CallFieldName,
  type CallType,
  type ModelCall,
  type RequiredFieldName,
} from "@usage-stats/core";
import * as z from "zod";
import { fieldSchema } from "./call-field-schema.ts";
import { undeclaredTag } from "./model-call-tags.ts";

const COUNTED_IN_TOKENS = new Set<CallType>(["chatCompletion", "embedding", "audioGeneration", "custom"]);

function shapeOf<Name extends CallFieldName>(names: readonly Name[]) {
  const schemas = names.map((name) => [name, fieldSchema(CALL_FIELDS[name])]);
  return Object.fromEntries(schemas) as { [Each in Name]: z.ZodType<ModelCall[Each], WireCall[Each]> };
}

/** What tells a call from all others. */
export const callIdentitySchema = z.strictObject(shapeOf(["id", "userDid", "callTime"]));

/**
 * One call as a gateway logs it, to the call as it is recorded. Absent and `null` both mean unknown. Its messages
 * continue a sentence that begins with the field's name; `parseModelCall` finishes them.
 */
export const modelCallSchema = (
  z.strictObject({ ...callIdentitySchema.shape, ...shapeOf(CALL_CONTENT) }) as unknown as z.ZodType<
    ModelCall,
    ModelCallInput
  >
).transform((call): ModelCall => {
  const tokensKnown = call.inputTokens !== null || call.outputTokens !== null;
  if (call.totalUsage === null && tokensKnown && COUNTED_IN_TOKENS.has(call.type)) {
    call.totalUsage = (call.inputTokens ?? 0) + (call.outputTokens ?? 0);
  }
  return call;
});

/** A call's values as they are sent. */
type WireCall = Omit<ModelCall, "callTime" | "credits"> & {
  /** ISO 8601 with an offset, or unix seconds. */
  callTime: string | number;
  /** A decimal with at most 8 places. */
  credits: string | number | null;
};

type OptionalCall = Omit<WireCall, RequiredFieldName>;

/** A call as it is sent. */
export type ModelCallInput = Plain<
  Pick<WireCall, RequiredFieldName> & { [Name in keyof OptionalCall]?: OptionalCall[Name] | undefined }
>;

/** One object type, for editors to show. */
type Plain<Type> = { [Name in keyof Type]: Type[Name] };

/** Why a value is not a call: `value` is what `field` held, `reason` a sentence for a person. */
export type ModelCallFault = { field: string; value: unknown; reason: string };

/**
 * Reads one logged call, which may have the `declared` tags and no others; says of a bad one the first thing that is wrong. Never throws.
 */
export function parseModelCall(
  value: unknown,
  declared: readonly string[] = [],
): { call: ModelCall } | ModelCallFault {
  const parsed = modelCallSchema.safeParse(value);
  if (!parsed.success) return faultOf(parsed.error.issues[0]!, value);
  const message = undeclaredTag(parsed.data.tags, declared);
  if (message === null) return { call: parsed.data };
  return { field: "tags", value: valueOf(value, "tags"), reason: `tags ${message}.` };
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
