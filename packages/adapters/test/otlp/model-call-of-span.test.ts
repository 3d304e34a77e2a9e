import { describe, expect, it } from "vitest";
import { readTraces, type SpanCall } from "../../src/index.ts";

type Value = string | number | boolean;
type Span = { kind?: number; attributes?: Record<string, Value>; resource?: Record<string, Value> };

const CHAT = { "gen_ai.operation.name": "chat" };

function listOf(attributes: Record<string, Value>) {
  return Object.entries(attributes).map(([key, value]) => ({
    key,
    value:
      typeof value === "string"
        ? { stringValue: value }
        : typeof value === "boolean"
          ? { boolValue: value }
          : { doubleValue: value },
  }));
}

/** The call of a span that says this, and otherwise nothing; `null` where it is ignored. */
function callOf({ kind = 3, attributes = {}, resource = {} }: Span): SpanCall | null {
  const span = {
    traceId: "0af7651916cd43dd8448eb211c80319c",
    spanId: "b7ad6b7169203331",
    kind,
    startTimeUnixNano: "1750413600000000000",
    attributes: listOf(attributes),
  };
  const body = {
    resourceSpans: [{ resource: { attributes: listOf(resource) }, scopeSpans: [{ spans: [span] }] }],
  };
  const { calls, ignored } = readTraces(new TextEncoder().encode(JSON.stringify(body)), "json");
  expect(calls.length + ignored).toBe(1);
  return calls[0] ?? null;
}

const saying = (attributes: Record<string, Value>) => callOf({ attributes: { ...CHAT, ...attributes } });

describe("a span is a call", () => {
  it.each([
    ["chat", "chatCompletion"],
    ["text_completion", "chatCompletion"],
    ["generate_content", "chatCompletion"],
    ["embeddings", "embedding"],
  ])("of the operation %s: %s", (operation, type) => {
    expect(callOf({ attributes: { "gen_ai.operation.name": operation } })).toMatchObject({ type });
  });

  it.each([
    ["image", "imageGeneration"],
    ["speech", "audioGeneration"],
    ["json", "chatCompletion"],
  ])("whose output is %s: %s", (output, type) => {
    const attributes = { "gen_ai.operation.name": "generate_content", "gen_ai.output.type": output };
    expect(callOf({ attributes })).toMatchObject({ type });
  });

  it("of whatever type it says itself, in that type's unit", () => {
    const attributes = { "usage_stats.type": "video", "usage_stats.total_usage": 12 };
    expect(callOf({ attributes })).toMatchObject({ type: "video", totalUsage: 12 });
  });

  it.each([0, 1, 3])("of the kind %i", (kind) => {
    expect(callOf({ kind, attributes: CHAT })).not.toBeNull();
  });
});

describe("a span is ignored", () => {
  it.each(["invoke_agent", "create_agent", "execute_tool", "invoke_workflow", "retrieval", "CHAT", "mine"])(
    "of the operation %s",
    (operation) => {
      expect(callOf({ attributes: { "gen_ai.operation.name": operation } })).toBeNull();
    },
  );

  it.each([2, 4, 5])("of the kind %i: it serves or queues", (kind) => {
    expect(callOf({ kind, attributes: CHAT })).toBeNull();
  });

  it("that says nothing of models", () => {
    expect(callOf({ attributes: { "http.request.method": "POST" } })).toBeNull();
  });
});

describe("what a call says", () => {
  it("the user is ours first, then the convention's, of the span before the resource", () => {
    const resource = { "user.id": "r" };
    const of = (attributes: Record<string, Value>) =>
      callOf({ attributes: { ...CHAT, ...attributes }, resource })?.["userDid"];
    expect(of({})).toBe("r");
    expect(of({ "user.id": "s" })).toBe("s");
    expect(of({ "user.id": "s", "enduser.id": "e" })).toBe("e");
    expect(of({ "user.id": "s", "enduser.id": "e", "usage_stats.user_did": "u" })).toBe("u");
    expect(of({ "user.id": "s", "enduser.id": "" })).toBe("s");
    expect(of({ "user.id": 42 })).toBe("42");
  });

  it("the app is ours first, then the service, unless nobody named it", () => {
    const of = (resource: Record<string, Value>, attributes = {}) =>
      callOf({ attributes: { ...CHAT, ...attributes }, resource })?.["appDid"];
    expect(of({})).toBeUndefined();
    expect(of({ "service.name": "shop" })).toBe("shop");
    expect(of({ "service.name": "unknown_service:node" })).toBeUndefined();
    expect(of({ "service.name": "shop" }, { "usage_stats.app_did": "did:abt:z1app" })).toBe("did:abt:z1app");
  });

  it("the model is the one that was asked for; another that answered is kept beside it", () => {
    expect(
      saying({ "gen_ai.request.model": "gpt-4o", "gen_ai.response.model": "gpt-4o-2024" }),
    ).toMatchObject({
      model: "gpt-4o",
      metadata: { responseModel: "gpt-4o-2024" },
    });
    expect(saying({ "gen_ai.response.model": "gpt-4o-2024" })).toMatchObject({ model: "gpt-4o-2024" });
  });

  it.each<[string, Record<string, Value>, Record<string, unknown>]>([
    ["provider", { "gen_ai.system": "old" }, { providerId: "old" }],
    ["provider", { "gen_ai.system": "old", "gen_ai.provider.name": "new" }, { providerId: "new" }],
    ["input tokens", { "gen_ai.usage.prompt_tokens": 3 }, { inputTokens: 3 }],
    ["input tokens", { "gen_ai.usage.prompt_tokens": 3, "gen_ai.usage.input_tokens": 0 }, { inputTokens: 0 }],
    ["output tokens", { "gen_ai.usage.completion_tokens": 4 }, { outputTokens: 4 }],
  ])("by their old names too: the %s, of %j", (_, attributes, fields) => {
    expect(saying(attributes)).toMatchObject(fields);
  });

  it("which key and run it is of, and which conversation by the convention's name", () => {
    const said = {
      "usage_stats.key_id": "k",
      "usage_stats.run_id": "r2",
      "usage_stats.parent_run_id": "r1",
      "gen_ai.conversation.id": "c",
    };
    expect(saying(said)).toMatchObject({
      keyId: "k",
      runId: "r2",
      parentRunId: "r1",
      conversationId: "c",
      metadata: { conversationId: "c" },
    });
    expect(callOf({ attributes: CHAT, resource: said })).toMatchObject({ keyId: "k", runId: undefined });
    expect(saying({})).toMatchObject({ keyId: undefined, tags: undefined, conversationId: undefined });
  });

  it("no conversation whose name a call could not have: that alone rejects no call", () => {
    for (const id of ["x".repeat(129), "模".repeat(86), "a\nb"])
      expect(saying({ "gen_ai.conversation.id": id })).toMatchObject({
        conversationId: undefined,
        metadata: { conversationId: id },
      });
  });

  it("no tags where none are declared", () => {
    expect(saying({ "usage_stats.tags.team": "a" })?.["tags"]).toBeUndefined();
  });

  it("that it failed, where there is an error type, whatever the status says", () => {
    expect(saying({ "error.type": "429" })).toMatchObject({ status: "failed", errorReason: "429" });
    expect(saying({})).toMatchObject({ status: "success", errorReason: null });
  });

  it("what is kept beside it is always small enough, and can be stored", () => {
    const long = `\0x${"\u{1F600}".repeat(5_000)}`;
    const metadata = saying({ "gen_ai.response.model": long, "gen_ai.conversation.id": long })?.["metadata"];
    expect(new TextEncoder().encode(JSON.stringify(metadata)).length).toBeLessThan(4_096);
    expect(JSON.stringify(metadata)).not.toMatch(/\\u0000|\\ud/i);
  });
});
