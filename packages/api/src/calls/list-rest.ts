import { type ListCallsQuery, UsageStatsError } from "@usage-stats/core";
import * as z from "zod";
import { type Unauthorized } from "../usage/read-usage.ts";
import { originNames, originOf } from "../input/call-origin.ts";
import { PAGE_SIZE, pageCursor, pageLimit, searchText } from "../input/page-input.ts";
import { orRefuse } from "../input/refusal.ts";
import { filterLists } from "../input/usage-filter.ts";
import { userName } from "../input/wire-text.ts";
import { describedAs, flag, wholeNumber } from "../rest/parameter-values.ts";
import { queryReader } from "../rest/query-parameters.ts";
import { tagParameter } from "../rest/tag-parameter.ts";
import { timeZoneName } from "../rest/time-zone-parameter.ts";
import { unixRange, unixRangeParameters } from "../rest/unix-range.ts";

/** The lists of the filter have the names that existing front ends send, each as often as it has values. */
const parameters = z.strictObject({
  ...unixRangeParameters,
  userDid: userName.optional().describe("Whose calls; the caller's own where absent."),
  appDid: filterLists.appDids,
  providerId: filterLists.providerIds,
  model: filterLists.models,
  type: filterLists.types,
  status: filterLists.status,
  ...originNames,
  tag: tagParameter
    .optional()
    .describe("Only calls with this tag, as `name:value`; of several each must hold."),
  search: searchText.describe(
    "Text that the id, the request's or trace's id, the model or the reason of an error holds, in whatever case.",
  ),
  minDurationSeconds: z
    .string()
    .transform(orRefuse(readSeconds))
    .optional()
    .meta({ type: "number" })
    .describe("Only calls that took at least so long."),
});

const pageParameters = z.strictObject({
  ...parameters.shape,
  limit: wholeNumber("limit").optional().pipe(pageLimit).meta(describedAs(pageLimit)),
  cursor: pageCursor,
});

const exportParameters = z.strictObject({
  ...parameters.shape,
  timezone: timeZoneName.default("UTC"),
  bom: flag("bom").describe("Whether the CSV begins with a byte order mark."),
});

/** The query strings of calls: of a page of them, or of an export, which has no pages. */
export const listCallsParameters = {
  list: pageParameters.transform(orRefuse(toQuery)),
  export: exportParameters.transform(orRefuse(toQuery)),
};

const FIELDS = {
  appDid: "filter.appDids",
  providerId: "filter.providerIds",
  model: "filter.models",
  type: "filter.types",
  status: "filter.status",
};

const read = {
  list: queryReader(listCallsParameters.list, FIELDS),
  export: queryReader(listCallsParameters.export, FIELDS),
};

/**
 * Reads the query string of a list of calls, or of an export, which has a `timezone`, and with `bom` a byte order mark. Throws
 * `UsageStatsError` naming the parameter, or as tRPC does the field of the filter.
 */
export function readListCallsQuery(
  query: URLSearchParams,
  form: "list" | "export",
): Unauthorized<ListCallsQuery> & { timezone: string; bom: boolean } {
  return read[form](query);
}

/** Milliseconds. */
function readSeconds(text: string): number {
  if (/^\d{1,7}(\.\d{1,3})?$/.test(text)) return Math.round(Number(text) * 1000);
  throw new UsageStatsError(
    "invalid_option",
    "minDurationSeconds must be seconds, with at most three decimals.",
    {
      field: "minDurationSeconds",
      value: text,
    },
  );
}

type Sent = z.output<typeof parameters> &
  Partial<z.output<typeof pageParameters> & z.output<typeof exportParameters>>;

function toQuery({
  startTime,
  endTime,
  appDid,
  providerId,
  model,
  type,
  status,
  minDurationSeconds: minDurationMs,
  keyId,
  runId,
  conversationId,
  tag: tags,
  ...sent
}: Sent): Unauthorized<ListCallsQuery> & { timezone: string; bom: boolean } {
  return {
    limit: PAGE_SIZE,
    timezone: "UTC",
    bom: false,
    ...sent,
    ...unixRange({ startTime, endTime }),
    filter: {
      ...(appDid && { appDids: appDid }),
      ...(providerId && { providerIds: providerId }),
      ...(model && { models: model }),
      ...(type && { types: type }),
      ...(status && { status }),
    },
    origin: originOf({ keyId, runId, conversationId, tags }),
    minDurationMs: minDurationMs ?? null,
    withVoided: true,
  };
}
