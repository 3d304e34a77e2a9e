import { gzipSync } from "node:zlib";
import { createInProcessCache, type SharedCache } from "@usage-stats/cache";
import { usageStatsErrorOf } from "@usage-stats/client";
import { rollUp } from "@usage-stats/db";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createTestServer, type TestServer } from "./test-server.ts";

const NOW = new Date("2025-06-21T12:00:00Z");
const RANGE = { from: new Date("2025-06-20T00:00:00Z"), to: new Date("2025-06-21T00:00:00Z") };
const ROOT = { user: "did:abt:z1root", role: "admin" as const };
const ALICE = "did:abt:z1alice";
const PATH = "/app/api/model-calls";

let server: TestServer;
let cache: SharedCache;
let key: string;

beforeAll(async () => {
  const clock = { now: () => NOW };
  cache = createInProcessCache({ clock, ttlMs: 60_000, maxBytes: 10_000_000, onEvent: () => {} });
  server = await createTestServer({
    now: () => NOW,
    cache,
    recordLimits: { maxCalls: 50, oldestMs: 30 * 86_400_000, tags: ["team", "project"] },
  });
  key = (await server.client(ROOT).admin.keys.create({ name: "gateway", scopes: ["calls:write"] })).text;
});
afterEach(async () => {
  await server.database.orm.em.fork().execute("delete from model_calls");
  await cache.invalidateAll();
});
afterAll(() => server.close());

const call = (change: Record<string, unknown> = {}) => ({
  id: "1",
  userDid: ALICE,
  providerId: "openai",
  model: "gpt-4o",
  type: "chatCompletion" as const,
  status: "success" as const,
  callTime: "2025-06-20T10:00:00Z",
  inputTokens: 10,
  outputTokens: 5,
  credits: "0.1",
  ...change,
});

async function post(
  body: NonNullable<RequestInit["body"]>,
  headers: Record<string, string> = {},
  query = "",
) {
  const response = await server.request(PATH + query, {
    method: "POST",
    body,
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json", ...headers },
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

const send = (...calls: unknown[]) => post(JSON.stringify(calls));
const totals = async () => (await server.client({ user: ALICE }).usageStats(RANGE)).totals;

describe("a gateway's calls", () => {
  it("say which key, tags, run and conversation they are of, and the same again is no correction", async () => {
    const said = { keyId: "k", runId: "r2", parentRunId: "r1", conversationId: "c" };
    const one = call({ ...said, tags: { team: " a", project: "b" } });
    expect(await send(one, call({ id: "2", tags: {} }))).toMatchObject({ body: { added: 2 } });
    expect(await send({ ...one, tags: { project: "b", team: "a" } }, call({ id: "2" }))).toMatchObject({
      body: { repeated: 2 },
    });
    const { items } = await server.client({ user: ALICE }).modelCalls.list(RANGE);
    expect(items).toMatchObject([
      { id: "2", keyId: null, tags: null, runId: null, parentRunId: null, conversationId: null },
      { id: "1", ...said, tags: { team: "a", project: "b" } },
    ]);
  });

  it("are rejected with a tag that is not declared, which is named, and no other is", async () => {
    const { status, body } = await send(
      call(),
      call({ id: "2", tags: { team: "a", tema: "b" } }),
      call({ id: "3" }),
    );
    expect(status).toBe(200);
    expect(body).toMatchObject({ added: 2, rejected: 1 });
    expect((body["results"] as unknown[])[1]).toEqual({
      index: 1,
      id: "2",
      outcome: "rejected",
      code: "invalid_call",
      field: "tags",
      reason: 'tags must not hold "tema": the declared tags are team, project.',
    });
    expect(await totals()).toMatchObject({ calls: 2 });
  });

  it("are recorded, repeated, corrected and voided, and every answer shows it at once", async () => {
    expect(await totals()).toMatchObject({ calls: 0 });
    const processing = call({ status: "processing", inputTokens: null, outputTokens: null, credits: "0" });
    expect(await send(processing)).toMatchObject({
      status: 200,
      body: { added: 1, results: [{ index: 0, id: "1", outcome: "added" }] },
    });
    expect(await totals()).toMatchObject({ calls: 1, successCalls: 0, totalUsage: 0 });
    expect(await send(call())).toMatchObject({ body: { corrected: 1 } });
    expect(await totals()).toMatchObject({
      calls: 1,
      successCalls: 1,
      totalUsage: 15,
      credits: "0.10000000",
    });
    expect(await send(call())).toMatchObject({ body: { repeated: 1, added: 0 } });
    await rollUp(server.database.orm);
    expect(await totals()).toMatchObject({ calls: 1 });
    const gone = { id: "1", userDid: ALICE, callTime: "2025-06-20T10:00:00Z", void: true };
    expect(await send(gone)).toMatchObject({ body: { voided: 1, results: [{ outcome: "voided" }] } });
    expect(await totals()).toMatchObject({ calls: 0, credits: "0.00000000" });
    expect(await send(gone, call(), call({ model: "o3" }))).toMatchObject({
      body: { repeated: 2, rejected: 1, results: [{}, {}, { outcome: "rejected", code: "voided" }] },
    });
    expect(await totals()).toMatchObject({ calls: 0 });
  });

  it("come as NDJSON too, and packed", async () => {
    const lines = [call({ id: "a" }), call({ id: "b" })].map((one) => JSON.stringify(one)).join("\n");
    const ndjson = { "content-type": "application/x-ndjson" };
    expect(await post(`${lines}\n\n`, ndjson)).toMatchObject({ status: 200, body: { added: 2 } });
    const packed = { ...ndjson, "content-encoding": "gzip" };
    expect(await post(gzipSync(lines), packed)).toMatchObject({ body: { repeated: 2 } });
    const list = gzipSync(JSON.stringify([call({ id: "c" })]));
    expect(await post(list, { "content-encoding": "gzip" })).toMatchObject({ body: { added: 1 } });
  });

  it("come over tRPC, by the client", async () => {
    const client = server.clientWith(key);
    const recorded = await client.modelCalls.record({ calls: [call(), call({ id: "2", model: "" })] });
    expect(recorded).toMatchObject({
      added: 1,
      rejected: 1,
      results: [{ outcome: "added" }, { index: 1, id: "2", code: "invalid_call", field: "model" }],
    });
    const atomic = client.modelCalls.record({ calls: [call({ id: "3" }), call({ id: "" })], atomic: true });
    expect(await atomic.catch(usageStatsErrorOf)).toMatchObject({
      httpStatus: 422,
      code: "invalid_call",
      field: "calls.1.id",
    });
    expect(await totals()).toMatchObject({ calls: 1 });
  });

  it("are for those who may write them, and nobody else", async () => {
    for (const as of [{ user: ALICE }, null]) {
      const headers = as === null ? { authorization: "" } : (await server.signed(as)).headers;
      const { status } = await post(JSON.stringify([call()]), headers);
      expect(status).toBe(as === null ? 401 : 403);
    }
    expect(await totals()).toMatchObject({ calls: 0 });
  });
});

describe("a bad call", () => {
  it.each([
    ["no object", 1, "invalid_call", null],
    ["null", null, "invalid_call", null],
    ["a list", [], "invalid_call", null],
    ["without an id", call({ id: undefined }), "invalid_call", "id"],
    ["without its time", call({ callTime: undefined }), "invalid_call", "callTime"],
    ["with an unknown field", call({ source: "me" }), "invalid_call", "source"],
    ["with __proto__", JSON.parse('{"__proto__":{"id":"1"}}'), "invalid_call", "id"],
    ["of minus one token", call({ inputTokens: -1 }), "invalid_call", "inputTokens"],
    ["of one and a half", call({ inputTokens: 1.5 }), "invalid_call", "inputTokens"],
    ["of 2^53 tokens", call({ inputTokens: 2 ** 53 }), "invalid_call", "inputTokens"],
    ["of tokens in text", call({ inputTokens: "1" }), "invalid_call", "inputTokens"],
    ["of credits too fine", call({ credits: "1e-30" }), "invalid_call", "credits"],
    ["of infinite credits", call({ credits: "Infinity" }), "invalid_call", "credits"],
    ["of negative credits", call({ credits: "-0.1" }), "invalid_call", "credits"],
    ["of an unknown type", call({ type: "chat" }), "invalid_call", "type"],
    ["with a NUL", call({ model: "a\0" }), "invalid_call", "model"],
    ["in milliseconds", call({ callTime: 1750413600000 }), "invalid_call", "callTime"],
    ["six minutes ahead", call({ callTime: "2025-06-21T12:06:00Z" }), "in_future", "callTime"],
    ["of last year", call({ callTime: "2024-06-20T10:00:00Z" }), "too_old", "callTime"],
    ["whose void is no truth", call({ void: "yes" }), "invalid_call", "void"],
    [
      "void without a user",
      { id: "1", callTime: "2025-06-20T10:00:00Z", void: true },
      "invalid_call",
      "userDid",
    ],
    ["void that never was", { ...call({ id: "x" }), void: true }, "not_found", null],
  ])("(%s) is told, and stops no good one", async (_, bad, code, field) => {
    const { status, body } = await send(call({ id: "before" }), bad, call({ id: "after" }));
    expect(status).toBe(200);
    expect(body).toMatchObject({
      added: 2,
      rejected: 1,
      results: [
        { index: 0, outcome: "added" },
        { index: 1, outcome: "rejected", code, field, reason: expect.stringMatching(/^[^]+\.$/) as string },
        { index: 2, outcome: "added" },
      ],
    });
    expect((await totals()).calls).toBe(2);
  });

  it("stops all of an atomic recording, whatever is wrong with it", async () => {
    const never = { ...call({ id: "never" }), void: true };
    for (const [bad, status, code] of [
      [call({ model: "" }), 422, "invalid_call"],
      [call({ callTime: "2025-06-21T12:06:00Z" }), 422, "invalid_call"],
      [never, 409, "conflict"],
    ] as const) {
      const answer = await post(JSON.stringify([call({ id: "good" }), bad]), {}, "?atomic=true");
      expect(answer).toMatchObject({ status, body: { code } });
      expect(String(answer.body["field"])).toMatch(/^calls\.1/);
    }
    expect((await totals()).calls).toBe(0);
    expect(await post(JSON.stringify([call()]), {}, "?atomic=yes")).toMatchObject({ status: 400 });
  });

  it("five minutes ahead is good: clocks differ", async () => {
    expect(await send(call({ callTime: "2025-06-21T12:05:00Z" }))).toMatchObject({ body: { added: 1 } });
  });
});

describe("calls of a month that was dropped or detached", () => {
  const may = { userDid: "did:abt:z1may", callTime: "2025-05-25T10:00:00Z" };
  const sql = (text: string) => server.database.orm.em.fork().execute(text);
  const tooOld = {
    outcome: "rejected",
    code: "too_old",
    field: "callTime",
    reason:
      "Calls of 2025-05 are no longer kept here, so that this one cannot be told from those that were counted.",
  };

  it("are rejected by themselves where they were rolled up, and change no answer", async () => {
    await send(call(may));
    await rollUp(server.database.orm);
    await sql("drop table model_calls_2025_05");
    const { status, body } = await send(call(may), call(), { ...call({ ...may, id: "late" }), void: true });
    expect(status).toBe(200);
    expect(body).toMatchObject({ added: 1, rejected: 2, results: [tooOld, { outcome: "added" }, tooOld] });
    await rollUp(server.database.orm);
    const range = { from: new Date("2025-05-01T00:00:00Z"), to: new Date("2025-06-01T00:00:00Z") };
    const { totals: kept } = await server.client({ user: may.userDid }).usageStats(range);
    expect(kept.calls).toBe(1);
    expect(await post(JSON.stringify([call(may)]), {}, "?atomic=true")).toMatchObject({
      status: 409,
      body: { code: "conflict", field: "calls.0" },
    });
  });

  it("are rejected by themselves where it was detached", async () => {
    await send(call({ ...may, userDid: "did:abt:z1other" }));
    await sql("alter table model_calls detach partition model_calls_2025_05");
    const { status, body } = await send(call({ ...may, userDid: "did:abt:z1third" }), call({ id: "now" }));
    expect(status).toBe(200);
    expect(body).toMatchObject({ added: 1, rejected: 1, results: [tooOld, { outcome: "added" }] });
    await sql("drop table model_calls_2025_05");
  });
});

describe("a body", () => {
  const bomb = gzipSync(Buffer.alloc(20_000_000, " "));

  it.each<[string, NonNullable<RequestInit["body"]>, Record<string, string>, number, string]>([
    ["that is empty", "", {}, 400, "empty_batch"],
    ["of no calls", "[]", {}, 400, "empty_batch"],
    ["of no lines", "\n\n", { "content-type": "application/x-ndjson" }, 400, "empty_batch"],
    ["of an object", "{}", {}, 400, "bad_json"],
    ["cut short", JSON.stringify([call()]).slice(0, -5), {}, 400, "bad_json"],
    [
      "of a bad line",
      `${JSON.stringify(call())}\n{`,
      { "content-type": "application/jsonl" },
      400,
      "bad_json",
    ],
    ["of invalid UTF-8", new Uint8Array([0x5b, 0xff, 0x5d]), {}, 400, "bad_json"],
    [
      "of 51 calls",
      JSON.stringify(Array.from({ length: 51 }, (_, i) => call({ id: `${i}` }))),
      {},
      413,
      "batch_too_large",
    ],
    [
      "of 51 lines, the last of which is not looked at",
      `${JSON.stringify(call())}\n\n`.repeat(50) + "{",
      { "content-type": "application/x-ndjson" },
      413,
      "batch_too_large",
    ],
    [
      "of half a million lines",
      "1\n".repeat(499_999),
      { "content-type": "application/x-ndjson" },
      413,
      "batch_too_large",
    ],
    ["of half a million numbers", `[${"1,".repeat(499_990)}1]`, {}, 413, "batch_too_large"],
    ["of more than a megabyte", `[${" ".repeat(1_000_001)}]`, {}, 413, "too_large"],
    ["that unpacks to 20 MB", bomb, { "content-encoding": "gzip" }, 413, "too_large"],
    ["that is not gzip", "[]", { "content-encoding": "gzip" }, 400, "bad_json"],
    ["in brotli", "[]", { "content-encoding": "br" }, 415, "unsupported_encoding"],
    ["of text", "[]", { "content-type": "text/plain" }, 415, "unsupported_media_type"],
    ["of a deep nothing", "[".repeat(100_000), {}, 400, "bad_json"],
  ])("%s is refused whole", async (_, body, headers, status, code) => {
    expect(await post(body, headers)).toMatchObject({ status, body: { code } });
    expect((await totals()).calls).toBe(0);
  });
});

it("says 503 and when to try again while the database cannot write, and has written nothing", async () => {
  const admin = server.database.orm.em.fork();
  await admin.execute(
    "create function refuse() returns trigger language plpgsql as $$ begin raise exception 'no' using errcode = '53100'; end $$",
  );
  await admin.execute(
    "create trigger refuse before insert on model_calls for each statement execute function refuse()",
  );
  try {
    const response = await server.request(PATH, {
      method: "POST",
      body: JSON.stringify([call()]),
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    });
    expect([response.status, response.headers.get("retry-after")]).toEqual([503, "1"]);
    expect(await response.text()).not.toContain("53100");
    const trpc = await server.request("/trpc/modelCalls.record", {
      method: "POST",
      body: JSON.stringify({ calls: [call()] }),
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    });
    expect([trpc.status, trpc.headers.get("retry-after")]).toEqual([503, "1"]);
  } finally {
    await admin.execute("drop trigger refuse on model_calls");
  }
  expect((await totals()).calls).toBe(0);
});

it("none of this was an error of ours", () => {
  expect(server.errors).toEqual([]);
});
