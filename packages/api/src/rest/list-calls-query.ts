import { UsageError } from "@usage-stats/core";
import { type AskedCalls, askedCallsOf, listCallsInput } from "../contract/list-calls-input.ts";
import { inputError } from "../errors.ts";
import { checkParameters, readFlag, readUnixRange } from "./unix-range.ts";

const ONCE = ["startTime", "endTime", "userDid", "search", "minDurationSeconds", "limit", "cursor"];
/** The parameters of the filter, by the names that existing front ends send, each as often as it has values. */
const LISTS = {
  appDid: "appDids",
  providerId: "providerIds",
  model: "models",
  type: "types",
  status: "status",
};

/**
 * Reads the query string of a list of calls, or of an export, which has no pages but a `timezone`, and with `bom` a byte order
 * mark. Throws `UsageError` naming the parameter.
 */
export function readListCallsQuery(
  query: URLSearchParams,
  form: "list" | "export",
): AskedCalls & { timezone: string; bom: boolean } {
  const once =
    form === "list"
      ? ONCE
      : [...ONCE.filter((name) => !["limit", "cursor"].includes(name)), "timezone", "bom"];
  checkParameters(query, { once: new Set(once), often: new Set(Object.keys(LISTS)) });
  const { from, to } = readUnixRange(query);
  const filter = Object.entries(LISTS).flatMap(([name, field]) =>
    query.has(name) ? [[field, query.getAll(name)] as const] : [],
  );
  const given = (name: string) => (query.has(name) ? { [name]: query.get(name) } : {});
  const result = listCallsInput.safeParse({
    ...given("userDid"),
    ...given("search"),
    ...given("cursor"),
    ...(query.has("limit") && { limit: whole(query, "limit") }),
    ...(query.has("minDurationSeconds") && { minDurationMs: milliseconds(query, "minDurationSeconds") }),
    filter: Object.fromEntries(filter),
    from: from.toISOString(),
    to: to.toISOString(),
  });
  if (!result.success) throw inputError(result.error);
  return {
    ...askedCallsOf(result.data),
    timezone: query.get("timezone") ?? "UTC",
    bom: readFlag(query, "bom"),
  };
}

function whole(query: URLSearchParams, field: string): number {
  const text = query.get(field)!;
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new UsageError("invalid_option", `${field} must be a whole number.`, { field, value: text });
}

function milliseconds(query: URLSearchParams, field: string): number {
  const text = query.get(field)!;
  if (/^\d{1,7}(\.\d{1,3})?$/.test(text)) return Math.round(Number(text) * 1000);
  throw new UsageError("invalid_option", `${field} must be seconds, with at most three decimals.`, {
    field,
    value: text,
  });
}
