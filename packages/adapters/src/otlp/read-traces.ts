import { attributesOf } from "./attributes.ts";
import { decodeTraceRequest, type OtlpFormat } from "./decode-trace-request.ts";
import { modelCallOfSpan, type SpanCall } from "./model-call-of-span.ts";
import { type Span } from "./trace-request.ts";

/** The model calls of a trace request, and how many spans were something else. `faults` are calls whose span cannot be told from others. */
export type TracesRead = { calls: SpanCall[]; faults: SpanFault[]; ignored: number };

export type SpanFault = { id: string; field: string; reason: string };

/**
 * Reads the body of `POST /v1/traces` (https://opentelemetry.io/docs/specs/otlp/#otlphttp), and of tags those that are `declared`. Throws
 * `bad_json` and `too_large`.
 */
export function readTraces(
  body: Uint8Array,
  format: OtlpFormat,
  declared: readonly string[] = [],
): TracesRead {
  const read: TracesRead = { calls: [], faults: [], ignored: 0 };
  for (const { resource, scopeSpans } of decodeTraceRequest(body, format).resourceSpans ?? []) {
    const shared = attributesOf(resource?.attributes);
    for (const span of scopeSpans?.flatMap(({ spans }) => spans ?? []) ?? []) {
      const call = modelCallOfSpan(span, attributesOf(span.attributes), shared, declared);
      const fault = call && idFault(span);
      if (call === null) read.ignored += 1;
      else if (fault) read.faults.push({ id: call.id, ...fault });
      else read.calls.push(call);
    }
  }
  return read;
}

/** Without ids of their own, two calls would be one. */
function idFault({ traceId, spanId }: Span): { field: string; reason: string } | null {
  if (!isId(traceId, 32))
    return { field: "traceId", reason: "traceId must be 32 hexadecimal digits, not all zero." };
  if (!isId(spanId, 16))
    return { field: "spanId", reason: "spanId must be 16 hexadecimal digits, not all zero." };
  return null;
}

function isId(value: string | null | undefined, digits: number): boolean {
  return value?.length === digits && /^[\da-f]+$/i.test(value) && !/^0+$/.test(value);
}
