import { parse } from "csv-parse/sync";
import { rollUp } from "@usage-stats/db";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { gatewayKey } from "./ingest/gateway-key.ts";
import { createTestServer, type TestServer } from "./test-server.ts";

const ALICE = "did:abt:z1alice";
const BOB = "did:abt:z1bob";
const ROOT = { user: "did:abt:z1root", role: "admin" as const };
const RANGE = { from: new Date("2025-06-20T00:00:00Z"), to: new Date("2025-06-21T00:00:00Z") };
const QUERY = "startTime=1750377600&endTime=1750463999";
const CALL = {
  userDid: ALICE,
  providerId: "openai",
  model: "gpt-4o",
  type: "chatCompletion" as const,
  status: "success" as const,
  callTime: "2025-06-20T10:00:00Z",
};
const COST = { ...CALL, model: "o3", type: "custom" as const };

let server: TestServer;
let key: string;

beforeAll(async () => {
  server = await createTestServer();
  key = await gatewayKey(server);
  // Seven of Alice that say no price, each in another way, and one that says 0; Bob's have one.
  await post("/app/api/model-calls", "application/json", [
    { ...CALL, id: "absent" },
    { ...CALL, id: "null", credits: null },
    { ...CALL, id: "processing", status: "processing" },
    { ...COST, id: "free", credits: "0", cacheWriteTokens: 40, reasoningTokens: 50 },
    { ...COST, id: "bob", userDid: BOB, credits: "0.5", cacheWriteTokens: 400 },
    { ...COST, id: "void", credits: null },
    { ...CALL, id: "later", status: "processing" },
  ]);
  await post("/app/api/model-calls", "application/x-ndjson", { ...CALL, id: "ndjson" });
  const { userDid, callTime, ...data } = CALL;
  await post("/app/api/cloud-events", "application/cloudevents+json", {
    specversion: "1.0",
    id: "event",
    source: "/gateways/1",
    type: "com.usage-stats.model-call.v1",
    subject: userDid,
    time: callTime,
    data,
  });
  await server.clientWith(key).modelCalls.record({
    calls: [
      { ...CALL, id: "trpc", credits: null },
      { ...CALL, id: "trpc-absent" },
      { id: "void", userDid: ALICE, callTime, void: true },
      { ...CALL, id: "later", credits: "0.25" },
    ],
  });
});
afterAll(() => server.close());

async function post(path: string, type: string, body: unknown): Promise<void> {
  const response = await server.request(path, {
    method: "POST",
    body: JSON.stringify(body),
    headers: { authorization: `Bearer ${key}`, "content-type": type },
  });
  expect(response.status).toBe(200);
}

const KNOWN = {
  calls: 9,
  unpricedCalls: 7,
  credits: "0.25000000",
  cacheWriteTokens: 40,
  reasoningTokens: 50,
};

describe.each(["not rolled up", "rolled up"])("calls of unknown price, %s", (state) => {
  beforeAll(async () => {
    if (state === "rolled up") await rollUp(server.database.orm);
  });

  it("are counted apart in totals, by type, in the series, by model and by group", async () => {
    const stats = await server.client({ user: ALICE }).usageStats({ ...RANGE, groupBy: ["status"] });
    expect(stats.totals).toMatchObject(KNOWN);
    expect(stats.byType).toMatchObject({
      chatCompletion: { calls: 8, unpricedCalls: 7, cacheWriteTokens: 0 },
      custom: {
        calls: 1,
        unpricedCalls: 0,
        credits: "0.00000000",
        cacheWriteTokens: 40,
        reasoningTokens: 50,
      },
    });
    expect(stats.series[10]!.metrics).toMatchObject(KNOWN);
    expect(stats.models.items.map(({ model, metrics }) => [model, metrics.unpricedCalls])).toEqual([
      ["gpt-4o", 7],
      ["o3", 0],
    ]);
    expect(stats.groups!.items.map((group) => [group.key.status, group.metrics.unpricedCalls])).toEqual([
      ["success", 6],
      ["processing", 1],
    ]);
  });

  it.each(["unpricedCalls", "cacheWriteTokens", "reasoningTokens"] as const)(
    "rank users by %s over REST and tRPC alike",
    async (orderBy) => {
      const expected = {
        unpricedCalls: [ALICE, BOB],
        cacheWriteTokens: [BOB, ALICE],
        reasoningTokens: [ALICE, BOB],
      }[orderBy];
      const ranking = await server.client(ROOT).admin.usageByUser({ ...RANGE, orderBy });
      expect(ranking.items.map(({ userDid }) => userDid)).toEqual(expected);
      const rest = await server.get(`/app/api/admin/usage-by/user?${QUERY}&orderBy=${orderBy}`, ROOT);
      const { items } = (await rest.json()) as { items: { userDid: string; metrics: object }[] };
      expect(items.map(({ userDid }) => userDid)).toEqual(expected);
      expect(items.find(({ userDid }) => userDid === ALICE)!.metrics).toMatchObject(KNOWN);
    },
  );

  it("are a column of the CSV of usage", async () => {
    const { headers } = await server.signed({ user: ALICE });
    const response = await server.request(`/app/api/user/usage-stats?${QUERY}`, {
      headers: { ...headers, accept: "text/csv" },
    });
    expect(parse(await response.text(), { columns: true })).toMatchObject([
      { type: "chatCompletion", credits: "0.25000000", unpricedCalls: "7", cacheWriteTokens: "0" },
      { type: "custom", credits: "0.00000000", unpricedCalls: "0", cacheWriteTokens: "40" },
    ]);
  });
});

it("calls of unknown price are listed so, and are an empty cell where they are exported", async () => {
  const { items } = await server.client({ user: ALICE }).modelCalls.list(RANGE);
  const listed = Object.fromEntries(items.map(({ id, credits }) => [id, credits]));
  expect(listed).toEqual({
    absent: null,
    null: null,
    processing: null,
    ndjson: null,
    event: null,
    trpc: null,
    "trpc-absent": null,
    void: null,
    free: "0.00000000",
    later: "0.25000000",
  });
  const response = await server.get(`/app/api/user/model-calls/export?${QUERY}`, { user: ALICE });
  const rows = parse<{ id: string; credits: string }>(await response.text(), { columns: true });
  const { void: _, ...counting } = listed;
  expect(Object.fromEntries(rows.map(({ id, credits }) => [id, credits === "" ? null : credits]))).toEqual(
    counting,
  );
});
