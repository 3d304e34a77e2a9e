import {
  encodeStatus,
  encodeTraceResponse,
  type OtlpAnswer,
  type OtlpFormat,
  readTraces,
} from "@usage-stats/adapters";
import { UsageStatsError } from "@usage-stats/core";
import { type Context, type Hono } from "hono";
import { type ContentfulStatusCode } from "hono/utils/http-status";
import { recordSpans, type SpanCounts } from "./record-spans.ts";
import { type OnFailure } from "../failures/failure-log.ts";
import { challenge, refuse, refusalOf } from "../http/problem.ts";
import { checkEncoding, readBytes, unpackBytes } from "../http/read-body-text.ts";
import { type AppEnv } from "../http/http-request.ts";

export type OtlpParts = {
  maxIngestBytes: number;
  onFailure: OnFailure;
  /** Told what became of the spans of each request. */
  onSpans?: (counts: SpanCounts) => void;
};

/** `POST /v1/traces`, OTLP/HTTP (https://opentelemetry.io/docs/specs/otlp/#otlphttp): records spans that are calls of models. */
export function otlpRoute(app: Hono<AppEnv>, { maxIngestBytes, onFailure, onSpans }: OtlpParts): void {
  /** An exporter drops what is answered with 500, and tries again after 503. */
  function reported(error: unknown, context: Context<AppEnv>): UsageStatsError {
    if (refusalOf(error).status >= 500 && !context.req.raw.signal.aborted)
      onFailure({ error, requestId: context.get("request").requestId, operation: "POST /v1/traces" });
    return error instanceof UsageStatsError
      ? error
      : new UsageStatsError("unavailable", "Something went wrong on our side.");
  }

  app.post("/v1/traces", async (context) => {
    const format = formatOf(context.req.header("content-type") ?? "");
    const request = context.get("request");
    try {
      await request.admit("POST /v1/traces");
      if (format === null)
        throw new UsageStatsError(
          "unsupported_media_type",
          "The body must be application/x-protobuf or application/json.",
          { value: context.req.header("content-type") ?? "" },
        );
      const read = readTraces(
        await bodyOf(context.req.raw, maxIngestBytes),
        format,
        request.ports.recordLimits.tags,
      );
      const { counts, partial } = await recordSpans(request, read);
      onSpans?.(counts);
      return send(context, encodeTraceResponse(partial, format), 200);
    } catch (error) {
      return sendStatus(context, reported(error, context), format ?? "json");
    }
  });
}

async function bodyOf(request: Request, maxBytes: number): Promise<Uint8Array> {
  const isPacked = checkEncoding(request.headers, { gzip: true });
  const sent = await readBytes(request, maxBytes);
  return isPacked ? unpackBytes(sent, maxBytes) : sent;
}

function formatOf(contentType: string): OtlpFormat | null {
  const type = contentType.split(";", 1)[0]!.trim().toLowerCase();
  if (type === "application/json") return "json";
  return type === "application/x-protobuf" ? "protobuf" : null;
}

/** gRPC's codes for ours (https://grpc.io/docs/guides/status-codes/). */
const GRPC_CODES: Record<number, number> = { 401: 16, 403: 7, 413: 8, 429: 8, 503: 14 };
const INVALID_ARGUMENT = 3;

function sendStatus(context: Context<AppEnv>, error: UsageStatsError, format: OtlpFormat): Response {
  const refusal = refuse(context, error);
  const { status, message } = refusal;
  const code = GRPC_CODES[status] ?? INVALID_ARGUMENT;
  return send(context, encodeStatus({ code, message }, format), status, challenge(refusal));
}

function send(
  context: Context<AppEnv>,
  { contentType, body }: OtlpAnswer,
  status: ContentfulStatusCode,
  headers: Record<string, string> = {},
): Response {
  return context.body(body, status, { ...headers, "content-type": contentType });
}
