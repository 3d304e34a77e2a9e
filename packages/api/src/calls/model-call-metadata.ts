import { isStorable } from "@usage-stats/core";
import * as z from "zod";

const MAX_BYTES = 4096;
const MAX_DEPTH = 12;

const encoder = new TextEncoder();

/** Whatever else a gateway knows of a call, kept as it is: a JSON object of at most 4 KB, nested at most 12 deep. */
export const metadata = z
  .custom<Record<string, unknown>>(isObject, "must be a JSON object, or null")
  .superRefine((value, context) => {
    const message = faultOf(value, MAX_DEPTH) ?? sizeFault(value);
    if (message !== null) context.addIssue({ code: "custom", message });
  });

function faultOf(value: unknown, depthLeft: number): string | null {
  if (typeof value === "string") {
    return isStorable(value) ? null : "must not contain NUL or half of a character";
  }
  if (value === null || typeof value === "boolean") return null;
  if (typeof value === "number")
    return Number.isFinite(value) ? null : "must not contain a number that is too large";
  if (!Array.isArray(value) && !isObject(value)) return "must contain nothing but JSON";
  if (depthLeft === 0) return `must not be nested more than ${MAX_DEPTH} levels deep`;
  if (Array.isArray(value)) return firstFault(value, depthLeft - 1);
  return firstFault(Object.keys(value), depthLeft - 1) ?? firstFault(Object.values(value), depthLeft - 1);
}

function firstFault(values: unknown[], depthLeft: number): string | null {
  for (const value of values) {
    const fault = faultOf(value, depthLeft);
    if (fault !== null) return fault;
  }
  return null;
}

// Only after `faultOf`: writing a value out recurses, and its depth is bounded by then.
function sizeFault(value: Record<string, unknown>): string | null {
  const json = JSON.stringify(value);
  const fits =
    json.length * 3 <= MAX_BYTES || (json.length <= MAX_BYTES && encoder.encode(json).length <= MAX_BYTES);
  return fits ? null : `must be at most ${MAX_BYTES.toLocaleString("en")} bytes long as JSON`;
}

/** Tells whether a value is an object as JSON has it. */
export function isObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
