import { UsageStatsError } from "@usage-stats/core";

/** Ten times what an exporter's largest requests hold. An empty one takes two bytes, and a thousand times that of our memory. */
const MOST_PARTS = 250_000;

/**
 * Throws `too_large` for a request with more resources, scopes, spans and attributes together than anybody sends. It looks at what was
 * decoded and not yet at its types: in OTLP's JSON and in protobuf the names are the same.
 */
export function checkSize(request: unknown): void {
  let left = MOST_PARTS;
  const take = (owner: unknown, name: string): unknown[] => {
    const list = isObject(owner) ? owner[name] : undefined;
    if (!Array.isArray(list)) return [];
    left -= list.length;
    if (left < 0)
      throw new UsageStatsError(
        "too_large",
        `The request has more than ${MOST_PARTS.toLocaleString("en")} resources, scopes, spans and attributes.`,
        { field: "body", limit: String(MOST_PARTS) },
      );
    return list;
  };
  for (const resourceSpans of take(request, "resourceSpans")) {
    if (isObject(resourceSpans)) take(resourceSpans["resource"], "attributes");
    for (const scopeSpans of take(resourceSpans, "scopeSpans"))
      for (const span of take(scopeSpans, "spans")) take(span, "attributes");
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
