export type { OtlpFormat } from "./otlp/decode-trace-request.ts";
export {
  encodeStatus,
  encodeTraceResponse,
  type OtlpAnswer,
  type PartialSuccess,
} from "./otlp/encode-answer.ts";
export { SOURCES as SPAN_SOURCES, type SpanCall } from "./otlp/model-call-of-span.ts";
export { readTraces, type SpanFault, type TracesRead } from "./otlp/read-traces.ts";
export { type EventRead, MODEL_CALL_EVENT } from "./cloud-events/cloud-event.ts";
export { CLOUD_EVENT_TYPES, type EventsRead, readCloudEvents } from "./cloud-events/read-cloud-events.ts";
