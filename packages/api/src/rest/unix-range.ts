import { UsageError } from "@usage-stats/core";

/** The range of a query: unix seconds, both ends inclusive, so that equal ends are one second. Throws `invalid_time` or `invalid_range` naming the parameter. */
export function readUnixRange(query: URLSearchParams): { from: Date; to: Date } {
  const start = seconds(query, "startTime");
  const end = seconds(query, "endTime");
  if (start > end) {
    throw new UsageError("invalid_range", "startTime must not be after endTime.", {
      field: "endTime",
      value: query.get("endTime"),
    });
  }
  return { from: new Date(start * 1000), to: new Date((end + 1) * 1000) };
}

function seconds(query: URLSearchParams, field: "startTime" | "endTime"): number {
  const text = query.get(field);
  if (text !== null && /^\d{9,10}$/.test(text)) return Number(text);
  throw new UsageError("invalid_time", `${field} must be whole seconds since 1970 (10 digits).`, {
    field,
    value: text ?? "nothing",
    limit: "unix seconds",
  });
}

/** Throws `unknown_field` for a parameter that is not among those known, `invalid_option` for one sent twice that must not be. */
export function checkParameters(
  query: URLSearchParams,
  known: { once: ReadonlySet<string>; often?: ReadonlySet<string> },
): void {
  for (const name of query.keys()) {
    const field = name.slice(0, 100);
    if (!known.once.has(name) && known.often?.has(name) !== true)
      throw new UsageError("unknown_field", `There is no parameter "${field}".`, { field });
    if (known.often?.has(name) !== true && query.getAll(name).length > 1)
      throw new UsageError("invalid_option", `${name} was sent more than once.`, { field: name });
  }
}

/** A parameter that is `true` or `false`; `false` where it is missing. Throws `invalid_option`. */
export function readFlag(query: URLSearchParams, field: string): boolean {
  const text = query.get(field) ?? "false";
  if (text === "true" || text === "false") return text === "true";
  throw new UsageError("invalid_option", `${field} must be true or false.`, { field, value: text });
}
