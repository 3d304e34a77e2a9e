import { type RankedBy, type UsageRankingQuery } from "@usage-stats/core";
import * as z from "zod";
import { pageCursor, pageLimit } from "../input/page-input.ts";
import { orRefuse } from "../input/refusal.ts";
import { filterLists } from "../input/usage-filter.ts";
import { rankingOf, rankingOrder } from "./input.ts";
import { describedAs, numberOrText } from "../rest/parameter-values.ts";
import { queryReader } from "../rest/query-parameters.ts";
import { tagListsParameter } from "../rest/tag-parameter.ts";
import { unixRange, unixRangeParameters } from "../rest/unix-range.ts";

/** The query string of a ranking: each list of the filter as one parameter for each of its values. */
export const usageRankingParameters = z
  .strictObject({
    ...unixRangeParameters,
    ...filterLists,
    tag: tagListsParameter.optional(),
    ...rankingOrder,
    limit: numberOrText.optional().pipe(pageLimit).meta(describedAs(pageLimit)),
    cursor: pageCursor,
  })
  .transform(
    orRefuse(({ startTime, endTime, orderBy, direction, search, limit, cursor, tag: tags, ...filter }) => ({
      ...unixRange({ startTime, endTime }),
      filter: { ...filter, ...(tags && { tags }) },
      orderBy,
      direction,
      search,
      limit,
      ...(cursor !== undefined && { cursor }),
    })),
  );

const read = queryReader(usageRankingParameters, {
  appDids: "filter.appDids",
  providerIds: "filter.providerIds",
  models: "filter.models",
  types: "filter.types",
  status: "filter.status",
});

/** Reads the query string of a ranking. Throws `UsageStatsError` naming the parameter, or as tRPC does the field of the filter. */
export function readUsageRankingQuery<By extends RankedBy>(
  by: By,
  query: URLSearchParams,
): UsageRankingQuery & { by: By } {
  return rankingOf(by, read(query));
}
