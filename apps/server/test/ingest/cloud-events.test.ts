import { gzipSync } from "node:zlib";
import { CloudEvent, emitterFor, HTTP, httpTransport, Mode } from "cloudevents";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type HttpServer, listen } from "../../src/serve/http-server.ts";
import { createTestServer, type TestServer } from "../test-server.ts";
import { gatewayKey, storedCalls } from "./gateway-key.ts";

const NOW = new Date("2025-06-21T12:00:00Z");
const PATH = "/app/api/cloud-events";
const ALICE = "did:abt:z1alice";
const BATCH = { "content-type": "application/cloudevents-batch+json" };
const STRUCTURED = { "content-type": "application/cloudevents+json" };

let server: TestServer;
let http: HttpServer;
let key: string;

beforeAll(async () => {
  server = await createTestServer({
    now: () => NOW,
    recordLimits: { oldestMs: 400 * 86_400_000, tags: ["team"] },
  });
  http = await listen(server.fetch, { host: "127.0.0.1", port: 0 });
  key = await gatewayKey(server);
});
afterEach(async () => {
  await server.database.orm.em.fork().execute("delete from model_calls");
  expectNoErrorOfOurs();
});
afterAll(async () => {
  await http.close();
  await server.close();
});

const DATA = {
  providerId: "openai",
  model: "gpt-4o",
  type: "chatCompletion",
  status: "success",
  inputTokens: 10,
  credits: "0.1",
};
const event = (change: Record<string, unknown> = {}) => ({
  specversion: "1.0",
  id: "1",
  source: "/gateways/1",
  type: "com.usage-stats.model-call.v1",
  subject: ALICE,
  time: "2025-06-20T10:00:00.000Z",
  data: DATA,
  ...change,
});
const STORED = {
  id: "1",
  user_did: ALICE,
  call_time: new Date("2025-06-20T10:00:00Z"),
  input_tokens: 10,
  credits: "0.10000000",
};

function expectNoErrorOfOurs(): void {
  if (server.errors.length > 0) throw new Error("an error was logged", { cause: server.errors });
}

async function post(body: NonNullable<RequestInit["body"]>, headers: Record<string, string>) {
  const response = await server.request(PATH, {
    method: "POST",
    body,
    headers: { authorization: `Bearer ${key}`, ...headers },
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

const send = (value: unknown) => post(JSON.stringify(value), Array.isArray(value) ? BATCH : STRUCTURED);

describe("the official SDK's events", () => {
  const url = () => `http://127.0.0.1:${http.port}${PATH}`;
  const headers = () => ({ authorization: `Bearer ${key}` });

  it.each([Mode.BINARY, Mode.STRUCTURED])("are recorded, sent in the mode %s", async (mode) => {
    const emit = emitterFor(httpTransport(url()), { binding: HTTP, mode });
    const answer = (await emit(new CloudEvent(event()), { headers: headers() })) as { body: string };
    expect(JSON.parse(answer.body)).toMatchObject({
      added: 1,
      results: [{ index: 0, id: "1", outcome: "added" }],
    });
    expect(await storedCalls(server)).toMatchObject([STORED]);
  });

  it("are recorded as a batch, packed or not", async () => {
    const body = JSON.stringify(["1", "2", "3"].map((id) => new CloudEvent(event({ id }))));
    const plain = await fetch(url(), { method: "POST", body, headers: { ...headers(), ...BATCH } });
    expect(await plain.json()).toMatchObject({ added: 3, repeated: 0 });
    const packed = { ...headers(), ...BATCH, "content-encoding": "gzip" };
    const again = await fetch(url(), {
      method: "POST",
      body: new Uint8Array(gzipSync(body)),
      headers: packed,
    });
    expect(await again.json()).toMatchObject({ added: 0, repeated: 3 });
    expect(await storedCalls(server)).toMatchObject([STORED, { id: "2" }, { id: "3" }]);
  });
});

describe("an event", () => {
  it("says which key, tags and run its call is of; of a tag that is not declared it is refused", async () => {
    const said = { keyId: "k", tags: { team: "search" }, runId: "r", conversationId: "c" };
    await send(event({ data: { ...DATA, ...said } }));
    expect(
      await server.database.orm.em
        .fork()
        .execute("select key_id, tags, run_id, conversation_id from model_calls"),
    ).toEqual([{ key_id: "k", tags: said.tags, run_id: "r", conversation_id: "c" }]);
    expect(await send(event({ id: "2", data: { ...DATA, tags: { tema: "x" } } }))).toMatchObject({
      status: 422,
      body: { code: "invalid_call", field: "tags" },
    });
  });

  it("that comes again counts once, and one that differs corrects", async () => {
    expect((await send(event())).body).toMatchObject({ added: 1 });
    expect((await send(event())).body).toMatchObject({ repeated: 1 });
    expect((await send(event({ data: { ...DATA, inputTokens: 12 } }))).body).toMatchObject({ corrected: 1 });
    expect(await storedCalls(server)).toMatchObject([{ input_tokens: 12 }]);
  });

  it("says only what its data leaves out", async () => {
    const data = { ...DATA, id: "own", userDid: "did:abt:z1bob", callTime: 1_750_413_600 };
    await send(event({ data, time: "2025-06-20T11:00:00Z" }));
    expect(await storedCalls(server)).toMatchObject([
      { id: "own", user_did: "did:abt:z1bob", call_time: new Date(1_750_413_600_000) },
    ]);
  });

  it("voids a call, which then stays void", async () => {
    await send(event());
    expect((await send(event({ data: { void: true } }))).body).toMatchObject({ voided: 1 });
    expect(await send(event({ data: { ...DATA, inputTokens: 1 } }))).toMatchObject({
      status: 409,
      body: { code: "conflict" },
    });
    expect(await send(event({ id: "2", data: { void: true } }))).toMatchObject({ status: 409 });
  });

  it("without a time of its own or of its call is refused: the time it arrived would make it another call each time", async () => {
    const { time: _, ...timeless } = event();
    expect(await send(timeless)).toMatchObject({
      status: 422,
      body: { code: "invalid_call", field: "callTime", detail: "callTime is missing." },
    });
  });

  it("in headers may be percent-encoded", async () => {
    const attributes = {
      "ce-specversion": "1.0",
      "ce-id": "a%20b%C3%A9",
      "ce-source": "/1",
      "ce-subject": "100%",
    };
    const time = { "ce-type": event().type, "ce-time": event().time };
    const type = { "content-type": "application/json; charset=utf-8" };
    expect((await post(JSON.stringify(DATA), { ...attributes, ...time, ...type })).status).toBe(200);
    expect(await storedCalls(server)).toMatchObject([{ id: "a bé", user_did: "100%" }]);
  });

  it("may have whatever extensions, and any JSON type of data", async () => {
    const odd = {
      traceparent: "00-1",
      datacontenttype: "application/vnd.x+json; charset=utf-8",
      dataschema: "x:y",
    };
    expect((await send(event(odd))).status).toBe(200);
  });

  it.each<[string, unknown, number, string | undefined]>([
    ["no object", 5, 422, undefined],
    ["null", null, 422, undefined],
    ["another version", event({ specversion: "0.3" }), 422, "specversion"],
    ["no id", event({ id: undefined }), 422, "id"],
    ["an empty id", event({ id: "" }), 422, "id"],
    ["no source", event({ source: undefined }), 422, "source"],
    ["another type", event({ type: "com.example.other" }), 422, "type"],
    ["a time that is none", event({ time: "yesterday" }), 422, "callTime"],
    ["a time that is a number", event({ time: 1 }), 422, "time"],
    ["a time in the future", event({ time: "2025-06-21T12:06:00Z" }), 422, "callTime"],
    ["no data", event({ data: undefined }), 422, "data"],
    ["data in Base64", event({ data: undefined, data_base64: "e30=" }), 422, "data"],
    ["data that is XML", event({ datacontenttype: "text/xml" }), 422, "datacontenttype"],
    ["data with what no call has", event({ data: { ...DATA, everything: 1 } }), 422, "everything"],
    ["data with negative tokens", event({ data: { ...DATA, inputTokens: -1 } }), 422, "inputTokens"],
    ["no user", event({ subject: undefined }), 422, "userDid"],
  ])("with %s is refused, naming the field", async (_, value, status, field) => {
    const told = await post(JSON.stringify(value), STRUCTURED);
    expect(told).toMatchObject({ status, body: { code: "invalid_call", ...(field && { field }) } });
    expect(await storedCalls(server)).toEqual([]);
  });
});

describe("a batch", () => {
  it("tells of each event by itself", async () => {
    const events = [event({ type: "x" }), event(), 7, event({ id: "2", data: {} }), event({ id: "3" })];
    const { status, body } = await send(events);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      added: 2,
      rejected: 3,
      results: [
        { index: 0, id: "1", outcome: "rejected", code: "invalid_call", field: "type" },
        { index: 1, id: "1", outcome: "added" },
        { index: 2, id: null, outcome: "rejected", field: null },
        { index: 3, id: "2", outcome: "rejected", field: "providerId", reason: "providerId is missing." },
        { index: 4, id: "3", outcome: "added" },
      ],
    });
    expect(await storedCalls(server)).toHaveLength(2);
  });

  it("of nothing but bad events is told of too", async () => {
    expect((await send([1, 2])).body).toMatchObject({
      added: 0,
      rejected: 2,
      results: [{ index: 0 }, { index: 1 }],
    });
  });

  it.each<[string, NonNullable<RequestInit["body"]>, Record<string, string>, number, string]>([
    ["no events", "[]", BATCH, 400, "empty_batch"],
    ["too many events", JSON.stringify(Array.from({ length: 51 }, () => 1)), BATCH, 413, "batch_too_large"],
    ["no list", "{}", BATCH, 400, "bad_json"],
    ["no JSON", "{", BATCH, 400, "bad_json"],
    ["no body", "", BATCH, 400, "bad_json"],
    ["too much", `["${"x".repeat(1_000_001)}"]`, BATCH, 413, "too_large"],
    ["another type", "{}", { "content-type": "text/plain" }, 415, "unsupported_media_type"],
    ["Avro", "{}", { "content-type": "application/cloudevents+avro" }, 415, "unsupported_media_type"],
    ["another encoding", "{}", { ...BATCH, "content-encoding": "br" }, 415, "unsupported_encoding"],
    ["a hundred thousand lists in each other", "[".repeat(100_000) + "]".repeat(100_000), BATCH, 200, ""],
    [
      "ten thousand objects in each other",
      `[${'{"data":'.repeat(10_000)}1${"}".repeat(10_000)}]`,
      BATCH,
      200,
      "",
    ],
  ])("of %s is refused as a whole, or event by event", async (_, body, headers, status, code) => {
    const told = await post(body, headers);
    expect(told).toMatchObject({ status, body: code === "" ? { added: 0, rejected: 1 } : { code } });
  });
});
