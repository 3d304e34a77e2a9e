import { createCallRecorder, type DeliveryProblem, type RecordedCall } from "@usage-stats/client";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { type HttpServer, listen } from "../../src/serve/http-server.ts";
import { createTestServer, type TestServer } from "../test-server.ts";
import { gatewayKey, storedCalls } from "./gateway-key.ts";

const NOW = new Date("2025-06-21T12:00:00Z");

let server: TestServer;
let http: HttpServer;
let key: string;
let told: [id: string, ...why: string[]][];
let problems: DeliveryProblem[];

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

const call = (change: Partial<RecordedCall> = {}): RecordedCall => ({
  id: "1",
  userDid: "did:abt:z1alice",
  providerId: "openai",
  model: "gpt-4o",
  type: "chatCompletion",
  status: "success",
  callTime: new Date("2025-06-20T10:00:00Z"),
  credits: "0.1",
  ...change,
});

/** A client's recorder over a socket to the whole application. */
function recorder(token: string | (() => string) = key) {
  told = [];
  problems = [];
  return createCallRecorder({
    url: `http://127.0.0.1:${http.port}`,
    token,
    retryMs: 1,
    onRefused: ({ id }, why) => told.push([id, why]),
    onRejected: ({ id }, field, reason) => told.push([id, field, reason]),
    onError: (problem) => problems.push(problem),
  });
}

it("records, repeats, corrects and voids in the order of its calls, and tells of what is rejected", async () => {
  const own = recorder();
  own.record(call({ id: "corrected" }));
  own.record(call({ id: "bad", inputTokens: -1 }));
  own.record(call({ id: "void" }));
  own.record(call({ id: "corrected", credits: "0.2" }));
  own.record({ ...call({ id: "void" }), void: true });
  own.record(call({ id: "repeated" }));
  own.record(call({ id: "repeated" }));
  own.record(call({ id: "ahead", callTime: new Date("2025-06-21T13:00:00Z") }));
  expect(await own.close()).toEqual({ unsent: 0 });

  expect(told).toEqual([
    ["bad", "inputTokens", expect.stringMatching(/^inputTokens must be a whole number/) as string],
    ["ahead", "callTime", expect.stringMatching(/ahead of our clock/) as string],
  ]);
  const stored = await storedCalls(server);
  expect(stored.filter(({ id }) => id !== "void")).toMatchObject([
    { id: "corrected", credits: "0.20000000" },
    { id: "repeated" },
  ]);
  const { totals } = await server
    .client({ user: "did:abt:z1alice" })
    .usageStats({ from: new Date("2025-06-20T00:00:00Z"), to: new Date("2025-06-21T00:00:00Z") });
  expect(totals).toMatchObject({ calls: 2, credits: "0.30000000" });
});

it("sends requests of more calls than the server takes in smaller ones", async () => {
  const own = recorder();
  for (let id = 0; id < 200; id += 1) own.record(call({ id: String(id) }));
  await own.flush();
  expect(await storedCalls(server)).toHaveLength(200);
  expect(told).toEqual([]);
});

it("keeps calls while its key is refused, and sends them with the next one", async () => {
  let asked = 0;
  const own = recorder(() => ((asked += 1) < 3 ? "nonsense" : key));
  own.record(call());
  await own.flush();
  expect(problems).toMatchObject([
    { status: 401, code: "invalid_token", attempt: 1 },
    { status: 401, code: "invalid_token", attempt: 2 },
  ]);
  expect(await storedCalls(server)).toHaveLength(1);
});
