import { canonicalTags, type CallTags, isName, MAX_TAGS, TAG_VALUE_LIMITS } from "@usage-stats/core";
import * as z from "zod";
import { isObject } from "./model-call-metadata.ts";

/** The tags of a call, each a text without blanks around it; none at all is the same as `null`. Which there may be is not asked here. */
export const tags = z
  .custom<Record<string, unknown>>(isObject, "must be a JSON object, or null")
  .transform((value, context): CallTags | null => {
    const entries = Object.entries(value);
    const refuse = (message: string) => {
      context.issues.push({ code: "custom", input: value, message });
      return z.NEVER;
    };
    if (entries.length > MAX_TAGS) return refuse(`must hold at most ${MAX_TAGS} tags`);
    const found: CallTags = {};
    for (const [name, sent] of entries) {
      const text = typeof sent === "string" ? sent.trim() : "";
      if (!isName(text, TAG_VALUE_LIMITS)) return refuse(badValue(name));
      Object.defineProperty(found, name, { value: text, enumerable: true });
    }
    return canonicalTags(found);
  });

/** Says what is wrong with tags of which one is not declared, as the rest of a sentence that begins with the field's name; `null` for nothing. */
export function undeclaredTag(given: Readonly<CallTags> | null, declared: readonly string[]): string | null {
  if (given === null) return null;
  const name = Object.keys(given).find((one) => !declared.includes(one));
  if (name === undefined) return null;
  return `must not hold ${quoted(name)}: ${sayDeclared(declared)}`;
}

/** Says which tags are declared, as the end of a sentence. */
export function sayDeclared(declared: readonly string[]): string {
  return declared.length === 0 ? "no tags are declared" : `the declared tags are ${declared.join(", ")}`;
}

function badValue(name: string): string {
  return `must hold text of 1 to ${TAG_VALUE_LIMITS.maxBytes} bytes for ${quoted(name)}, without control characters or half of a character`;
}

function quoted(name: string): string {
  return JSON.stringify(name.slice(0, 100));
}
