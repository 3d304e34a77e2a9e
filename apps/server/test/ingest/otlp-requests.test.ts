import { gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createMetrics } from "../../src/serve/metrics.ts";
import { createTestServer, type TestServer } from "../test-server.ts";
import { gatewayKey, storedCalls } from "./gateway-key.ts";

const NOW = new Date("2025-06-21T12:00:00Z");
const PATH = "/v1/traces";
const TRACE_ID = "5b8efff798038103d269b633813fc60c";
const START = "1750413600000000000";

let server: TestServer;
let key: string;
const metrics = createMetrics();

beforeAll(async () => {
  server = await createTestServer({
    now: () => NOW,
    metrics,
    recordLimits: { oldestMs: 400 * 86_400_000, tags: ["team", "project"] },
  });
  key = await gatewayKey(server);
});
afterEach(async () => {
  await server.database.orm.em.fork().execute("delete from model_calls");
  expectNoErrorOfOurs();
});
afterAll(() => server.close());

function expectNoErrorOfOurs(): void {
  if (server.errors.length > 0) throw new Error("an error was logged", { cause: server.errors });
}

async function post(
  body: NonNullable<RequestInit["body"]> | undefined,
  headers: Record<string, string> = {},
) {
  const response = await server.request(PATH, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json", ...headers },
    ...(body !== undefined && { body }),
  });
  const isJson = response.headers.get("content-type") === "application/json";
  const bytes = Buffer.from(await response.arrayBuffer());
  return {
    status: response.status,
    type: response.headers.get("content-type"),
    headers: response.headers,
    body: (isJson ? JSON.parse(bytes.toString()) : bytes) as unknown,
  };
}

type Attribute = { key: string; value: Record<string, unknown> };
const text = (name: string, stringValue: string): Attribute => ({ key: name, value: { stringValue } });
const CHAT = [
  text("gen_ai.operation.name", "chat"),
  text("gen_ai.system", "openai"),
  text("gen_ai.request.model", "gpt-4o"),
  text("enduser.id", "did:abt:z1alice"),
];
const span = (change: Record<string, unknown> = {}, ...attributes: Attribute[]) => ({
  traceId: TRACE_ID,
  spanId: "eee19b7ec3c1b174",
  name: "chat gpt-4o",
  kind: 3,
  startTimeUnixNano: START,
  endTimeUnixNano: "1750413602000000000",
  attributes: [...CHAT, ...attributes],
  ...change,
});
const request = (...spans: unknown[]) => JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] });
const tokens = (value: unknown): Attribute => ({
  key: "gen_ai.usage.input_tokens",
  value: value as Record<string, unknown>,
});

describe("a call", () => {
  it("has those of its tags that are declared, of the span or else of the resource", async () => {
    const resource = {
      attributes: [text("usage_stats.tags.team", "all"), text("usage_stats.tags.project", "p")],
    };
    const spans = [span({}, text("usage_stats.tags.team", "search"), text("usage_stats.tags.region", "eu"))];
    const body = JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ spans }] }] });
    expect(await post(body)).toMatchObject({ status: 200, body: {} });
    const stored = await server.database.orm.em.fork().execute("select tags from model_calls");
    expect(stored).toEqual([{ tags: { team: "search", project: "p" } }]);
  });

  it("is rejected for a declared tag that is too long, by the attribute's name", async () => {
    const { body } = await post(request(span({}, text("usage_stats.tags.team", "x".repeat(129)))));
    expect(JSON.stringify(body)).toContain("It comes from usage_stats.tags.<name>.");
  });
});

describe("an answer", () => {
  it("is empty where all went well, in the format of its request", async () => {
    expect(await post(request(span()))).toMatchObject({ status: 200, type: "application/json", body: {} });
    expect(await post(undefined, { "content-type": "application/x-protobuf" })).toMatchObject({
      status: 200,
      type: "application/x-protobuf",
      body: Buffer.alloc(0),
    });
  });

  it("counts spans that were rejected, and says which, why, and where that comes from", async () => {
    const bad = span({ spanId: "00f067aa0ba902b7" }, tokens({ intValue: "-5" }));
    const nobody = span({ spanId: "00f067aa0ba902b8", attributes: CHAT.slice(0, 3) });
    const { status, body } = await post(request(span(), bad, nobody));
    expect(status).toBe(200);
    expect(body).toEqual({
      partialSuccess: {
        rejectedSpans: 2,
        errorMessage:
          "2 of 3 model calls were rejected. " +
          `${TRACE_ID}:00f067aa0ba902b7: inputTokens must be a whole number from 0 to 1,000,000,000,000, or null where unknown. ` +
          "It comes from gen_ai.usage.input_tokens, gen_ai.usage.prompt_tokens. " +
          `${TRACE_ID}:00f067aa0ba902b8: userDid is missing. It comes from usage_stats.user_did, enduser.id, user.id.`,
      },
    });
    expect(await storedCalls(server)).toHaveLength(1);
  });

  it("counts a span that comes again once", async () => {
    for (const body of [request(span()), request(span()), request(span(), span())])
      expect(await post(body)).toMatchObject({ status: 200, body: {} });
    expect(await storedCalls(server)).toMatchObject([{ id: `${TRACE_ID}:eee19b7ec3c1b174` }]);
  });

  it("shows in the metrics what became of spans", async () => {
    await post(request(span(), span({ traceId: "0" }), span({ kind: 2 })));
    const told = await metrics.text();
    for (const outcome of ["recorded", "rejected", "ignored"])
      expect(told).toMatch(new RegExp(`usage_stats_otlp_spans_total\\{outcome="${outcome}"\\} [1-9]`));
  });
});

describe("a refusal is a Status, as OTLP asks for", () => {
  it.each<[string, NonNullable<RequestInit["body"]>, Record<string, string>, number, number]>([
    ["no JSON", "{", {}, 400, 3],
    ["a list", "[]", {}, 400, 3],
    ["null", "null", {}, 400, 3],
    ["spans that are a number", '{"resourceSpans":[{"scopeSpans":[{"spans":5}]}]}', {}, 400, 3],
    ["attributes that are text", request(span({ attributes: "x" })), {}, 400, 3],
    ["an id that is a number", request(span({ traceId: 12 })), {}, 400, 3],
    ["invalid UTF-8", new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), {}, 400, 3],
    ["a hundred thousand lists in each other", "[".repeat(100_000) + "]".repeat(100_000), {}, 400, 3],
    ["nothing but brackets", "[".repeat(900_000), {}, 400, 3],
    ["too much", `{"x":"${"x".repeat(1_000_000)}"}`, {}, 413, 8],
    ["gzip that is none", "{}", { "content-encoding": "gzip" }, 400, 3],
    [
      "gzip that breaks off",
      new Uint8Array(gzipSync(request(span())).subarray(0, 50)),
      { "content-encoding": "gzip" },
      400,
      3,
    ],
    [
      "a gzip bomb",
      new Uint8Array(gzipSync(Buffer.alloc(50_000_000, 0x20))),
      { "content-encoding": "gzip" },
      413,
      8,
    ],
    ["another encoding", "{}", { "content-encoding": "br" }, 415, 3],
    ["another type", "{}", { "content-type": "text/plain" }, 415, 3],
    ["a bad key", "{}", { authorization: "Bearer nonsense" }, 401, 16],
  ])("%s", async (_, body, headers, status, code) => {
    const told = await post(body, headers);
    expect(told).toMatchObject({ status, type: "application/json", body: { code } });
    expect((told.body as { message: string }).message).toMatch(/^[A-Z].*\.?/);
  });

  it("in protobuf where the request was, with the headers of any refusal", async () => {
    const told = await post(new Uint8Array([0x0a, 0x7f, 1]), { "content-type": "application/x-protobuf" });
    expect(told).toMatchObject({ status: 400, type: "application/x-protobuf" });
    const message = "The body is not an OTLP trace request in protobuf.";
    expect(told.body).toEqual(
      Buffer.concat([Buffer.from([0x08, 3, 0x12, message.length]), Buffer.from(message)]),
    );
    const stranger = await post("{}", { authorization: "" });
    expect(stranger.headers.get("www-authenticate")).toBe("Bearer");
  });
});

describe("while the database fails", () => {
  it("an exporter is asked to try again, hears nothing of why, and loses nothing", async () => {
    const failing = await createTestServer({ now: () => NOW });
    const as = await gatewayKey(failing);
    const database = failing.database.orm.em.fork();
    const send = () =>
      failing.request(PATH, {
        method: "POST",
        headers: { authorization: `Bearer ${as}`, "content-type": "application/json" },
        body: request(span()),
      });
    await database.execute("alter table model_calls rename to model_calls_away");
    const refused = await send();
    await database.execute("alter table model_calls_away rename to model_calls");
    expect(refused.status).toBe(503);
    expect(refused.headers.get("retry-after")).toBe("1");
    expect(await refused.json()).toEqual({ code: 14, message: "Something went wrong on our side." });
    expect(failing.errors).toHaveLength(1);
    expect((await send()).status).toBe(200);
    expect(await storedCalls(failing)).toHaveLength(1);
    await failing.close();
  });
});

describe("what is odd, but no fault of the whole request", () => {
  const rejects = (...args: Parameters<typeof span>) => post(request(span(...args)));

  it.each<[string, Parameters<typeof span>]>([
    ["negative tokens", [{}, tokens({ intValue: -1 })]],
    ["a fraction of a token", [{}, tokens({ doubleValue: 1.5 })]],
    ["tokens beyond 2^53, as text", [{}, tokens({ intValue: "9223372036854775807" })]],
    ["tokens beyond 2^53, as a number", [{}, tokens({ intValue: 2 ** 60 })]],
    ["tokens that are text", [{}, tokens({ stringValue: "12" })]],
    ["tokens that are no number", [{}, tokens({ doubleValue: "NaN" })]],
    ["tokens that are a boolean", [{}, tokens({ boolValue: true })]],
    ["a time in the far future", [{ startTimeUnixNano: "18446744073709551615" }]],
    [
      "a time that is a little ahead",
      [{ startTimeUnixNano: String(BigInt(NOW.getTime() + 600_000) * 1_000_000n) }],
    ],
    ["a time long ago", [{ startTimeUnixNano: "1000000000000000000" }]],
    ["no time", [{ startTimeUnixNano: undefined }]],
    ["a time that is none", [{ startTimeUnixNano: "-5" }]],
    ["a trace id of zeros", [{ traceId: "0".repeat(32) }]],
    ["a trace id in Base64", [{ traceId: "W47/95gDgQPSabYzgT/GDA==" }]],
    ["no span id", [{ spanId: undefined }]],
    ["a model with a control character", [{}, text("gen_ai.request.model", "a\nb")]],
    ["a model that is far too long", [{}, text("gen_ai.request.model", "x".repeat(100_000))]],
    ["negative credits", [{}, text("usage_stats.credits", "-1")]],
    ["an unknown type", [{}, text("usage_stats.type", "everything")]],
  ])("rejects the span: %s", async (_, args) => {
    expect(await rejects(...args)).toMatchObject({
      status: 200,
      body: { partialSuccess: { rejectedSpans: 1 } },
    });
    expect(await storedCalls(server)).toEqual([]);
  });

  it.each<[string, Parameters<typeof span>, Record<string, unknown>]>([
    ["tokens as text or as a number", [{}, tokens({ intValue: "12" })], { input_tokens: 12 }],
    ["whole tokens as a double", [{}, tokens({ doubleValue: 12 })], { input_tokens: 12 }],
    [
      "times as numbers",
      [{ startTimeUnixNano: 1750413600000000000 }],
      { call_time: new Date(1750413600000) },
    ],
    ["an end before the start", [{ endTimeUnixNano: "1750413599000000000" }], { duration_ms: null }],
    ["ids in capitals", [{ traceId: TRACE_ID.toUpperCase() }], { trace_id: TRACE_ID }],
    [
      "ten thousand attributes",
      [{}, ...Array.from({ length: 10_000 }, (_, index) => text(`a${index}`, "x"))],
      { model: "gpt-4o" },
    ],
    [
      "fields and values that it does not know",
      [
        { links: [{ links: [] }], flags: 1 },
        { key: "x", value: { arrayValue: { values: [{ kvlistValue: {} }] } } },
      ],
      { model: "gpt-4o" },
    ],
    [
      "__proto__ among the attributes",
      [{}, text("__proto__", "x"), text("constructor", "x")],
      { model: "gpt-4o" },
    ],
    [
      "nulls everywhere",
      [
        { status: null, kind: null },
        { key: "x", value: null as never },
      ],
      { status: "success" },
    ],
  ])("takes it: %s", async (_, args, stored) => {
    expect(await rejects(...args)).toMatchObject({ status: 200, body: {} });
    expect(await storedCalls(server)).toMatchObject([stored]);
  });

  it("takes a span with an attribute that nests ten thousand deep", async () => {
    const nested = `${'{"arrayValue":{"values":['.repeat(10_000)}${"]}}".repeat(10_000)}`;
    const body = request(span({}, text("x", "NESTED"))).replace('{"stringValue":"NESTED"}', nested);
    expect(await post(body)).toMatchObject({ status: 200, body: {} });
  });

  const halves = (first: number) => new Uint8Array(1_000_000).map((_, at) => (at % 2 ? 0 : first));
  it.each<[string, string | Uint8Array<ArrayBuffer>, string, number]>([
    ["empty resources, as JSON", `{"resourceSpans":[${"{},".repeat(330_000)}{}]}`, "application/json", 413],
    [
      "empty attributes, as JSON",
      request(span({ attributes: [] })).replace(
        '"attributes":[]',
        `"attributes":[${"{},".repeat(330_000)}{}]`,
      ),
      "application/json",
      413,
    ],
    ["empty resources, in protobuf", halves(0x0a), "application/x-protobuf", 413],
    ["groups in each other", new Uint8Array(1_000_000).fill(0x0b), "application/x-protobuf", 400],
    ["varints without an end", new Uint8Array(1_000_000).fill(0xff), "application/x-protobuf", 400],
    ["random bytes", crypto.getRandomValues(new Uint8Array(60_000)), "application/x-protobuf", 400],
    ["fields that it does not know", halves(0x7a), "application/x-protobuf", 200],
  ])("is over with soon: a megabyte of %s", async (_, body, type, status) => {
    const before = performance.now();
    expect((await post(body, { "content-type": type })).status).toBe(status);
    expect(performance.now() - before).toBeLessThan(2_000);
  });
});
