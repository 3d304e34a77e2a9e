import { UsageError } from "@usage-stats/core";
import { type z } from "zod";
import { rebuildInput } from "../contract/rebuild-input.ts";
import { inputError } from "../errors.ts";

/** Reads the JSON body of `POST /app/api/admin/rebuild`; an empty one asks for everything. Throws `UsageError` naming the field. */
export function readRebuildBody(body: string): z.output<typeof rebuildInput> {
  const result = rebuildInput.safeParse(body.trim() === "" ? {} : parseJson(body));
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
