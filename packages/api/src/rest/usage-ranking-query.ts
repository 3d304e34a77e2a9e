import { type RankedBy, type UsageRankingInput } from "@usage-stats/core";
import { rankingOf, usageRankingInput } from "../contract/usage-ranking-input.ts";
import { inputError } from "../errors.ts";
import { checkParameters, readUnixRange } from "./unix-range.ts";

const ONCE = new Set(["startTime", "endTime", "orderBy", "direction", "search", "limit", "cursor"]);
const LISTS = new Set(["appDids", "providerIds", "models", "types", "status"]);

/**
 * Reads the query string of a ranking: a range in unix seconds, both ends inclusive; each list of the filter as one parameter
 * for each of its values. Throws `UsageError` naming the parameter.
 */
export function readUsageRankingQuery<By extends RankedBy>(
  by: By,
  query: URLSearchParams,
): UsageRankingInput & { by: By } {
  checkParameters(query, { once: ONCE, often: LISTS });
  const { from, to } = readUnixRange(query);
  const single = Object.fromEntries(
    ["orderBy", "direction", "search", "cursor"].flatMap((name) => valueOf(name, query.get(name))),
  );
  const limit = query.get("limit");
  const lists = [...LISTS].flatMap((name) => valueOf(name, query.has(name) ? query.getAll(name) : null));
  const result = usageRankingInput.safeParse({
    ...single,
    ...(limit !== null && { limit: /^\d{1,6}$/.test(limit) ? Number(limit) : limit }),
    filter: Object.fromEntries(lists),
    from: from.toISOString(),
    to: to.toISOString(),
  });
  if (!result.success) throw inputError(result.error);
  return rankingOf(by, result.data);
}

function valueOf<Value>(name: string, value: Value | null): [string, Value][] {
  return value === null ? [] : [[name, value]];
}
