import { type Attributes, context, type Span, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { OTLPTraceExporter as JsonExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { OTLPTraceExporter as ProtobufExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BatchSpanProcessor, type SpanExporter, TracerProvider } from "@opentelemetry/sdk-trace";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type HttpServer, listen } from "../../src/serve/http-server.ts";
import { createTestServer, type TestServer } from "../test-server.ts";
import { gatewayKey, storedCalls } from "./gateway-key.ts";

const NOW = new Date("2025-06-21T12:00:00Z");
const START = new Date("2025-06-20T10:00:00.123Z");
const END = new Date("2025-06-20T10:00:02.623Z");

let server: TestServer;
let http: HttpServer;
let key: string;

beforeAll(async () => {
  server = await createTestServer({ now: () => NOW });
  http = await listen(server.fetch, { host: "127.0.0.1", port: 0 });
  key = await gatewayKey(server);
});
afterEach(() => server.database.orm.em.fork().execute("delete from model_calls"));
afterAll(async () => {
  await http.close();
  await server.close();
});

const CHAT = {
  "gen_ai.operation.name": "chat",
  "gen_ai.provider.name": "openai",
  "gen_ai.request.model": "gpt-4o",
  "usage_stats.user_did": "did:abt:z1alice",
};

type Exporter = new (settings: {
  url: string;
  headers: Record<string, string>;
  compression?: never;
}) => SpanExporter;

describe.each<[string, Exporter, string]>([
  ["JSON", JsonExporter, "none"],
  ["JSON, gzip", JsonExporter, "gzip"],
  ["protobuf", ProtobufExporter, "none"],
  ["protobuf, gzip", ProtobufExporter, "gzip"],
])("OpenTelemetry's own exporter (%s)", (_, Own, compression) => {
  /** Exports what is traced meanwhile; rejects where the exporter says that it failed. */
  async function exported(
    work: (tracer: ReturnType<TracerProvider["getTracer"]>) => void,
    token = key,
  ): Promise<void> {
    const exporter = new Own({
      url: `http://127.0.0.1:${http.port}/v1/traces`,
      headers: { authorization: `Bearer ${token}` },
      compression: compression as never,
    });
    const failures: unknown[] = [];
    const provider = new TracerProvider({
      resource: resourceFromAttributes({ "service.name": "shop" }),
      spanProcessors: [
        new BatchSpanProcessor({
          exporter: {
            export: (spans, done) =>
              exporter.export(spans, (result) => {
                if (result.error !== undefined) failures.push(result.error);
                done(result);
              }),
            shutdown: () => exporter.shutdown(),
            forceFlush: () => Promise.resolve(),
          },
        }),
      ],
    });
    work(provider.getTracer("gateway"));
    await provider.forceFlush().catch(() => {});
    await provider.shutdown();
    if (failures.length > 0) throw failures[0] as Error;
  }

  const call = (
    tracer: ReturnType<TracerProvider["getTracer"]>,
    attributes: Attributes,
    finish: (span: Span) => void = () => {},
  ) => {
    const span = tracer.startSpan("chat gpt-4o", { kind: SpanKind.CLIENT, startTime: START, attributes });
    finish(span);
    span.end(END);
    return span.spanContext();
  };

  it("has everything recorded that a span says of a call", async () => {
    let ids = { traceId: "", spanId: "" };
    await exported((tracer) => {
      ids = call(tracer, {
        ...CHAT,
        "gen_ai.response.model": "gpt-4o-2024-08-06",
        "gen_ai.response.id": "chatcmpl-1",
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 20,
        "gen_ai.usage.cache_read.input_tokens": 64,
        "gen_ai.usage.cache_write.input_tokens": 30,
        "gen_ai.usage.reasoning.output_tokens": 12,
        "gen_ai.response.time_to_first_chunk": 0.25,
        "gen_ai.conversation.id": "conv_1",
        "usage_stats.credits": "0.00012345",
        "usage_stats.app_did": "did:abt:z1app",
      });
    });
    expect(await storedCalls(server)).toEqual([
      {
        id: `${ids.traceId}:${ids.spanId}`,
        user_did: "did:abt:z1alice",
        app_did: "did:abt:z1app",
        provider_id: "openai",
        model: "gpt-4o",
        type: "chatCompletion",
        status: "success",
        call_time: START,
        input_tokens: 100,
        output_tokens: 20,
        cached_input_tokens: 64,
        cache_write_tokens: 30,
        reasoning_tokens: 12,
        total_usage: 120,
        credits: "0.00012345",
        duration_ms: 2_500,
        ttfb_ms: 250,
        error_reason: null,
        request_id: "chatcmpl-1",
        trace_id: ids.traceId,
        metadata: { operation: "chat", responseModel: "gpt-4o-2024-08-06", conversationId: "conv_1" },
      },
    ]);
  });

  it("leaves unknown what a span does not say, and takes the service for the app", async () => {
    await exported((tracer) => void call(tracer, CHAT));
    expect(await storedCalls(server)).toMatchObject([
      {
        app_did: "shop",
        input_tokens: null,
        output_tokens: null,
        cached_input_tokens: null,
        cache_write_tokens: null,
        reasoning_tokens: null,
        total_usage: null,
        credits: null,
        ttfb_ms: null,
        request_id: null,
      },
    ]);
  });

  it("has tokens written to a cache by their older name, and the newer one where it says both", async () => {
    const older = { "gen_ai.usage.cache_creation.input_tokens": 7 };
    await exported((tracer) => {
      call(tracer, { ...CHAT, ...older });
      call(tracer, { ...CHAT, ...older, "gen_ai.usage.cache_write.input_tokens": 8 });
    });
    const stored = await storedCalls(server);
    expect(new Set(stored.map((one) => one["cache_write_tokens"]))).toEqual(new Set([7, 8]));
  });

  it("has failures recorded as such", async () => {
    await exported((tracer) => {
      call(tracer, { ...CHAT, "error.type": "timeout" }, (span) =>
        span.setStatus({ code: SpanStatusCode.ERROR, message: "no answer within 30 s" }),
      );
    });
    expect(await storedCalls(server)).toMatchObject([
      { status: "failed", error_reason: "timeout: no answer within 30 s" },
    ]);
  });

  it("has the calls within an agent's trace counted once each, and the rest ignored", async () => {
    await exported((tracer) => {
      const agent = tracer.startSpan("invoke_agent", {
        kind: SpanKind.CLIENT,
        startTime: START,
        attributes: { ...CHAT, "gen_ai.operation.name": "invoke_agent", "gen_ai.usage.input_tokens": 300 },
      });
      const inside = trace.setSpan(context.active(), agent);
      for (const attributes of [CHAT, { ...CHAT, "gen_ai.operation.name": "execute_tool" }])
        tracer.startSpan("step", { kind: SpanKind.CLIENT, startTime: START, attributes }, inside).end(END);
      tracer.startSpan("GET /", { kind: SpanKind.SERVER, startTime: START, attributes: CHAT }).end(END);
      tracer.startSpan("SELECT", { kind: SpanKind.CLIENT, startTime: START }).end(END);
      agent.end(END);
    });
    expect(await storedCalls(server)).toHaveLength(1);
  });

  it("has more spans recorded than one recording may hold, and a rejected one keeps no other away", async () => {
    await exported((tracer) => {
      for (let index = 0; index < 120; index += 1)
        call(tracer, { ...CHAT, "gen_ai.usage.input_tokens": index === 60 ? -1 : index });
    });
    expect(await storedCalls(server)).toHaveLength(119);
  });

  it("is told, and tells, that its key may not do this", async () => {
    await expect(exported((tracer) => void call(tracer, CHAT), "nonsense")).rejects.toThrow(
      /Unauthorized|401/,
    );
    const { authorization } = (await server.signed({ user: "did:abt:z1alice" })).headers;
    const mine = authorization.slice("Bearer ".length);
    await expect(exported((tracer) => void call(tracer, CHAT), mine)).rejects.toThrow(/Forbidden|403/);
    expect(await storedCalls(server)).toEqual([]);
  });
});
