import { UsageStatsError } from "@usage-stats/core";
import type * as z from "zod";
import { inputError } from "../errors.ts";

/** Reads a JSON body; an empty one is `{}`. Throws `UsageStatsError` naming the field, `bad_json` for what cannot be read. */
export function readBody<Schema extends z.ZodType>(schema: Schema, body: string): z.output<Schema> {
  const value = body.trim() === "" ? {} : parseJson(body, "The body is not JSON.", "body");
  const result = schema.safeParse(value);
  if (!result.success) throw inputError(result.error);
  return result.data;
}

/** Parses JSON from outside. Throws `bad_json` with the message, naming the field. */
export function parseJson(text: string, message: string, field: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new UsageStatsError("bad_json", message, { field, cause });
  }
}
