export type { OtlpFormat } from "./otlp/decode-trace-request.ts";
export {
  encodeStatus,
  encodeTraceResponse,
  type OtlpAnswer,
  type PartialSuccess,
} from "./otlp/encode-answer.ts";
export { SOURCES as SPAN_SOURCES, type SpanCall } from "./otlp/model-call-of-span.ts";
export { readTraces, type SpanFault, type TracesRead } from "./otlp/read-traces.ts";
