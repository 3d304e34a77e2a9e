import { UsageStatsError } from "@usage-stats/core";
import { type Message } from "protobufjs";
import * as z from "zod";
import { checkSize } from "./check-size.ts";
import { traceRequestMessage } from "./messages.ts";
import { type Span, type TraceRequest } from "./trace-request.ts";

/** How an OTLP/HTTP request is written, and so its answer. */
export type OtlpFormat = "json" | "protobuf";

/** Reads the body of `POST /v1/traces`. Throws `bad_json` for one that is no trace request, saying where; `too_large`. */
export function decodeTraceRequest(body: Uint8Array, format: OtlpFormat): TraceRequest {
  return format === "json" ? decodeJson(body) : decodeProtobuf(body);
}

// In this shape, `null` stands for what is missing, and what has no name here is passed over.
const integer = z.union([z.string(), z.number()]).nullish();
const attributes = z
  .array(
    z.object({
      key: z.string().nullish(),
      value: z
        .object({
          stringValue: z.string().nullish(),
          boolValue: z.boolean().nullish(),
          intValue: integer,
          doubleValue: integer,
        })
        .nullish(),
    }),
  )
  .nullish();
const span = z.object({
  traceId: z.string().nullish(),
  spanId: z.string().nullish(),
  kind: z.number().nullish(),
  startTimeUnixNano: integer,
  endTimeUnixNano: integer,
  attributes,
  status: z.object({ message: z.string().nullish(), code: z.number().nullish() }).nullish(),
});
const traceRequest = z.object({
  resourceSpans: z
    .array(
      z.object({
        resource: z.object({ attributes }).nullish(),
        scopeSpans: z.array(z.object({ spans: z.array(span).nullish() })).nullish(),
      }),
    )
    .nullish(),
});

function decodeJson(body: Uint8Array): TraceRequest {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch (cause) {
    throw new UsageStatsError("bad_json", "The body is not JSON.", { field: "body", cause });
  }
  checkSize(value);
  const parsed = traceRequest.safeParse(value);
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0]!;
  const field = path.join(".") || "body";
  throw new UsageStatsError("bad_json", `The body is not an OTLP trace request: ${field}: ${message}.`, {
    field,
  });
}

type DecodedSpan = Omit<Span, "traceId" | "spanId"> & { traceId?: Uint8Array; spanId?: Uint8Array };
type Decoded = {
  resourceSpans?: { resource?: object; scopeSpans?: { spans?: DecodedSpan[] }[] }[];
};

function decodeProtobuf(body: Uint8Array): TraceRequest {
  const message = decodeMessage(body);
  checkSize(message);
  const decoded: Decoded = traceRequestMessage.toObject(message, { longs: String });
  const resourceSpans = decoded.resourceSpans?.map(({ resource, scopeSpans }) => ({
    resource,
    scopeSpans: scopeSpans?.map(({ spans }) => ({ spans: spans?.map(withHexIds) })),
  }));
  return { resourceSpans };
}

function decodeMessage(body: Uint8Array): Message {
  try {
    return traceRequestMessage.decode(body);
  } catch (cause) {
    throw new UsageStatsError("bad_json", "The body is not an OTLP trace request in protobuf.", {
      field: "body",
      cause,
    });
  }
}

function withHexIds({ traceId, spanId, ...rest }: DecodedSpan): Span {
  return { ...rest, traceId: hex(traceId), spanId: hex(spanId) };
}

function hex(bytes: Uint8Array | undefined): string {
  return Array.from(bytes ?? [], (byte) => byte.toString(16).padStart(2, "0")).join("");
}
