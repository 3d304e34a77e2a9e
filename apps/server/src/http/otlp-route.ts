import {
  encodeStatus,
  encodeTraceResponse,
  type OtlpAnswer,
  type OtlpFormat,
  readTraces,
} from "@usage-stats/adapters";
import { UsageError } from "@usage-stats/core";
import { type Context, Hono } from "hono";
import { type ContentfulStatusCode } from "hono/utils/http-status";
import { recordSpans, type SpanCounts } from "../intake/record-spans.ts";
import { type ModelCallsPorts } from "./model-calls-routes.ts";
import { type OnFailure } from "./on-failure.ts";
import { problemOf } from "./problem.ts";
import { checkEncoding, readBytes, unpackBytes } from "./read-body-text.ts";
import { requestPorts } from "./request-ports.ts";
import { type AppEnv } from "./request-variables.ts";

export type OtlpPorts = ModelCallsPorts & {
  onFailure: OnFailure;
  /** Told what became of the spans of each request. */
  onSpans?: (counts: SpanCounts) => void;
};

/** `POST /v1/traces`, OTLP/HTTP (https://opentelemetry.io/docs/specs/otlp/#otlphttp): records spans that are calls of models. */
export function otlpRoute(ports: OtlpPorts): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();

  /** An exporter drops what is answered with 500, and tries again after 503. */
  function told(error: unknown, context: Context<AppEnv>): UsageError {
    if (problemOf(error).status >= 500 && !context.req.raw.signal.aborted)
      ports.onFailure({ error, requestId: context.get("requestId"), operation: "POST /v1/traces" });
    return error instanceof UsageError
      ? error
      : new UsageError("unavailable", "Something went wrong on our side.");
  }

  routes.post("/v1/traces", async (context) => {
    const format = formatOf(context.req.header("content-type") ?? "");
    try {
      await ports.admit(context, "POST /v1/traces");
      if (format === null)
        throw new UsageError(
          "unsupported_media_type",
          "The body must be application/x-protobuf or application/json.",
          { value: context.req.header("content-type") ?? "" },
        );
      const read = readTraces(await bodyOf(context.req.raw, ports.maxIngestBytes), format);
      const { counts, partial } = await recordSpans(read, { ...ports, ...requestPorts(context, ports) });
      ports.onSpans?.(counts);
      return send(context, encodeTraceResponse(partial, format), 200);
    } catch (error) {
      return refuse(context, told(error, context), format ?? "json");
    }
  });
  return routes;
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

function refuse(context: Context<AppEnv>, error: UsageError, format: OtlpFormat): Response {
  const { status, detail } = problemOf(error);
  const code = GRPC_CODES[status] ?? INVALID_ARGUMENT;
  return send(context, encodeStatus({ code, message: detail }, format), status, {
    ...(status === 401 && { "www-authenticate": "Bearer" }),
    ...(status === 503 && { "retry-after": "1" }),
  });
}

function send(
  context: Context<AppEnv>,
  { contentType, body }: OtlpAnswer,
  status: number,
  headers: Record<string, string> = {},
): Response {
  return context.body(body, status as ContentfulStatusCode, { ...headers, "content-type": contentType });
}
