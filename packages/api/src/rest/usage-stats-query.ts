import { timeZoneOfOffset, UsageError } from "@usage-stats/core";
import { type AskedQuestion } from "../allowed-question.ts";
import { userName } from "../contract/usage-stats-input.ts";
import { checkParameters, readFlag, readUnixRange } from "./unix-range.ts";

const PARAMETERS = ["startTime", "endTime", "timezone", "timezoneOffset", "userDid", "noCache"];

/**
 * Reads the query string: unix seconds, both ends inclusive, and a zone by name or by `Date.getTimezoneOffset()`. Where CSV is
 * wanted, `bom` asks for a byte order mark. Throws `UsageError` naming the parameter.
 */
export function readUsageStatsQuery(
  query: URLSearchParams,
  form: "json" | "csv",
): AskedQuestion & { bom: boolean } {
  checkParameters(query, { once: new Set(form === "csv" ? [...PARAMETERS, "bom"] : PARAMETERS) });
  const range = readUnixRange(query);
  return {
    bom: readFlag(query, "bom"),
    userDid: user(query),
    noCache: readFlag(query, "noCache"),
    question: {
      ...range,
      timezone: timezone(query),
      bucket: "day",
      groupBy: [],
      filter: {},
      topN: 5,
      compare: "previous",
    },
  };
}

function user(query: URLSearchParams): string | undefined {
  const text = query.get("userDid");
  if (text === null) return undefined;
  if (userName.safeParse(text).success) return text;
  throw new UsageError("invalid_option", "userDid must be 1 to 256 characters of text.", {
    field: "userDid",
    limit: "256",
  });
}

function timezone(query: URLSearchParams): string {
  const name = query.get("timezone");
  const offset = query.get("timezoneOffset");
  if (name !== null && offset !== null) {
    throw new UsageError("invalid_option", "Send timezone or timezoneOffset, not both.", {
      field: "timezoneOffset",
    });
  }
  if (offset === null) return name ?? "UTC";
  if (!/^-?\d{1,3}$/.test(offset)) {
    throw new UsageError(
      "invalid_timezone",
      "timezoneOffset must be minutes, as Date.getTimezoneOffset() gives them.",
      {
        field: "timezoneOffset",
        value: offset,
      },
    );
  }
  return timeZoneOfOffset(Number(offset));
}

/** Names the REST parameter where an error of the core names its own. */
export function inRestTerms(error: unknown): unknown {
  if (!(error instanceof UsageError)) return error;
  const field = error.field === "from" ? "startTime" : error.field === "to" ? "endTime" : undefined;
  if (field === undefined) return error;
  const details = { field, cause: error, ...(error.limit !== undefined && { limit: error.limit }) };
  return new UsageError(error.code, error.message.replace(/^(from|to) /, `${field} `), details);
}
