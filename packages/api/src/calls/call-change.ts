import { type CallChange } from "@usage-stats/core";
import * as z from "zod";
import { callIdentitySchema, faultOf, type ModelCallFault, parseModelCall } from "./model-call.ts";

const FIELD = "void";

/**
 * Reads what a gateway sends of a call: the call, with `declared` tags, or with `void: true` who it is. Says of a bad one the first thing
 * that is wrong. Never throws.
 */
export function parseCallChange(
  value: unknown,
  declared: readonly string[],
): { change: CallChange } | ModelCallFault {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, FIELD))
    return callOf(value, declared);
  const { [FIELD]: isVoid, ...rest } = value as Record<string, unknown>;
  if (isVoid === false) return callOf(rest, declared);
  if (isVoid !== true) return { field: FIELD, value: isVoid, reason: "void must be true or false." };
  const parsed = callVoidSchema.safeParse(rest);
  return parsed.success ? { change: { ...parsed.data, void: true } } : faultOf(parsed.error.issues[0]!, rest);
}

function callOf(value: unknown, declared: readonly string[]): { change: CallChange } | ModelCallFault {
  const parsed = parseModelCall(value, declared);
  return "call" in parsed ? { change: parsed.call } : parsed;
}

/** Whatever else is said of a call that is void does not matter. */
const callVoidSchema = z
  .object(callIdentitySchema.shape)
  .transform(({ userDid, id, callTime }) => ({ userDid, id, callTime }));
