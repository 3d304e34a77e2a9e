import * as z from "zod";
import { inputError } from "../errors.ts";
import { flag } from "../rest/parameter-values.ts";

/** The query string beside a body of calls. Not strict: what else is sent here has always been let pass. */
export const recordCallsParameters = z.object({
  atomic: flag("atomic").describe("Whether one bad call refuses all of them."),
});

/** Reads the query string beside a body of calls: of a parameter sent twice the first counts. Throws `invalid_option`. */
export function readRecordCallsQuery(query: URLSearchParams): z.output<typeof recordCallsParameters> {
  const result = recordCallsParameters.safeParse({ atomic: query.get("atomic") ?? undefined });
  if (!result.success) throw inputError(result.error);
  return result.data;
}
