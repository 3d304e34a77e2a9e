import { UsageError } from "@usage-stats/core";
import type * as z from "zod";
import { inputError } from "../errors.ts";

/** Reads a JSON body; an empty one is `{}`. Throws `UsageError` naming the field, `bad_json` for what cannot be read. */
export function readBody<Schema extends z.ZodType>(schema: Schema, body: string): z.output<Schema> {
  const result = schema.safeParse(body.trim() === "" ? {} : parseJson(body));
  if (!result.success) throw inputError(result.error);
  return result.data;
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (cause) {
    throw new UsageError("bad_json", "The body is not JSON.", { field: "body", cause });
  }
}
