import { type OtlpFormat } from "./decode-trace-request.ts";
import { statusMessage, traceResponseMessage } from "./messages.ts";

/** An answer's body, in the format of its request. */
export type OtlpAnswer = { contentType: string; body: Uint8Array<ArrayBuffer> };

/** Says how many spans were rejected, and why; nothing at all where none was. */
export type PartialSuccess = { rejectedSpans: number; errorMessage: string };

/** An ExportTraceServiceResponse. */
export function encodeTraceResponse(partial: PartialSuccess | null, format: OtlpFormat): OtlpAnswer {
  return encode(traceResponseMessage, partial === null ? {} : { partialSuccess: partial }, format);
}

/** A google.rpc.Status, as OTLP/HTTP asks for whenever a request is refused; `code` is gRPC's. */
export function encodeStatus(status: { code: number; message: string }, format: OtlpFormat): OtlpAnswer {
  return encode(statusMessage, status, format);
}

function encode(type: typeof statusMessage, value: object, format: OtlpFormat): OtlpAnswer {
  return format === "json"
    ? { contentType: "application/json", body: new TextEncoder().encode(JSON.stringify(value)) }
    : {
        contentType: "application/x-protobuf",
        body: new Uint8Array(type.encode(type.fromObject(value)).finish()),
      };
}
