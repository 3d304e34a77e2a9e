import { createCallWriter } from "@usage-stats/db";
import { createTestDatabase, type TestDatabase } from "@usage-stats/db/testing";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type HttpServer, listen } from "../../src/serve/http-server.ts";
import { modelCall } from "../model-calls.ts";
import { type ServerProcess, serverProcesses } from "../server-process.ts";
import { createTestServer, type TestServer } from "../test-server.ts";

const STATS = "/app/api/user/usage-stats?startTime=1750377600&endTime=1750463999";
const RANGE = { from: "2025-06-20T00:00:00Z", to: "2025-06-21T00:00:00Z" };
const CANARY = "hunter2canary";

describe("a server whose database refuses more connections", () => {
  const role = `limited_${process.pid}`;
  let database: TestDatabase;
  let processes: Awaited<ReturnType<typeof serverProcesses>>;
  let server: ServerProcess & { text(): string };
  let session: string;
  let key: string;
  const holders: Client[] = [];

  /** Three connections are all that the role may have, and they are taken. */
  async function exhaust(url: string): Promise<void> {
    await database.orm.em.fork().execute(`alter role ${role} connection limit 3`);
    while (holders.length < 3) {
      await database.orm.em
        .fork()
        .execute(
          "select pg_terminate_backend(pid) from pg_stat_activity where usename = ? and application_name like 'usage-stats%'",
          [role],
        );
      const client = new Client({ connectionString: url });
      client.on("error", () => {});
      await client.connect().then(
        () => holders.push(client),
        () => {},
      );
    }
  }

  beforeAll(async () => {
    database = await createTestDatabase({ from: "empty" });
    const url = new URL(database.url);
    const name = url.pathname.slice(1);
    await database.orm.em.fork().execute(`create role ${role} login password 'x'`);
    await database.orm.em.fork().execute(`alter database ${name} owner to ${role}`);
    url.username = role;
    url.password = "x";
    processes = await serverProcesses({ DATABASE_URL: url.href, AUTH_SECRET: `${CANARY} `.repeat(4) });
    session = await processes.token(`did:${CANARY}`);
    key = await processes.key(["calls:write"]);
    server = await processes.serve();
    // The key is known from now on.
    await fetch(`${server.url}/app/api/model-calls`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}` },
    });
    await exhaust(url.href);
  }, 60_000);
  afterAll(async () => {
    await processes?.end();
    for (const client of holders) await client.end().catch(() => {});
    await database.orm.em.fork().execute(`drop owned by ${role} cascade`);
    await database.orm.em
      .fork()
      .execute(`alter database ${new URL(database.url).pathname.slice(1)} owner to current_user`);
    await database.orm.em.fork().execute(`drop role ${role}`);
    await database.close();
  });

  const post = (path: string, type: string, body: unknown): [string, RequestInit] => [
    path,
    {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": type },
      body: JSON.stringify(body),
    },
  ];
  const data = {
    providerId: CANARY,
    model: CANARY,
    type: "chatCompletion",
    status: "success",
    credits: "4242.4242",
  };
  const call = { ...data, id: CANARY, userDid: CANARY, callTime: new Date().toISOString() };
  const query = encodeURIComponent(
    JSON.stringify({ 0: RANGE, 1: { ...RANGE, filter: { models: [CANARY] } } }),
  );
  const asks: [string, () => [string, RequestInit?], string[]][] = [
    ["REST", () => [STATS], ["GET /app/api/user/usage-stats"]],
    [
      "tRPC",
      () => [`/trpc/usageStats,usageStats?batch=1&input=${query}`],
      ["tRPC usageStats", "tRPC usageStats"],
    ],
    [
      "a list",
      () => [`/app/api/user/model-calls?startTime=1750377600&endTime=1750463999&search=${CANARY}`],
      ["GET /app/api/user/model-calls"],
    ],
    [
      "an export",
      () => ["/app/api/user/model-calls/export?startTime=1750377600&endTime=1750463999"],
      ["GET /app/api/user/model-calls/export"],
    ],
    [
      "recording",
      () => post("/app/api/model-calls", "application/json", [call]),
      ["POST /app/api/model-calls"],
    ],
    [
      "CloudEvents",
      () =>
        post("/app/api/cloud-events", "application/cloudevents+json", {
          specversion: "1.0",
          id: CANARY,
          source: `/${CANARY}`,
          type: "com.usage-stats.model-call.v1",
          subject: CANARY,
          time: call.callTime,
          data,
        }),
      ["POST /app/api/cloud-events"],
    ],
    [
      "OTLP",
      () =>
        post("/v1/traces", "application/json", { resourceSpans: [{ scopeSpans: [{ spans: [span()] }] }] }),
      ["POST /v1/traces"],
    ],
  ];

  it.each(asks)(
    "logs it once for each failed call, with PostgreSQL's words (%s)",
    async (_, ask, operations) => {
      const [path, init] = ask();
      const response = await fetch(server.url + path, {
        headers: {
          authorization: `Bearer ${session}`,
          cookie: `x=${CANARY}`,
          "user-agent": CANARY,
          "x-request-id": CANARY,
        },
        ...init,
      });
      expect(response.status).toBe(503);
      await response.arrayBuffer();
      const id = response.headers.get("x-request-id")!;
      const lines = () =>
        server
          .text()
          .split("\n")
          .filter((line) => line.includes(id));
      await vi.waitFor(() => expect(lines()).toHaveLength(operations.length));
      expect(lines()).toEqual(
        operations.map(
          (operation) =>
            `request ${id}: 503 unavailable: ${operation}: SQLSTATE 53300 too many connections for role "${role}"`,
        ),
      );
    },
  );

  it("logs nothing that was sent, no stack, and no driver's fields", () => {
    const text = server.text();
    expect(text).not.toContain(CANARY);
    expect(text).not.toContain("4242");
    expect(text).not.toContain(key);
    expect(text).not.toContain(session);
    expect(text).not.toMatch(/^ {4}at |select |severity|routine/m);
  });
});

function span() {
  return {
    traceId: "0af7651916cd43dd8448eb211c80319c",
    spanId: "b7ad6b7169203331",
    name: "chat",
    startTimeUnixNano: `${Date.now() - 2000}000000`,
    endTimeUnixNano: `${Date.now() - 1000}000000`,
    attributes: Object.entries({
      "gen_ai.operation.name": "chat",
      "gen_ai.provider.name": "openai",
      "gen_ai.request.model": CANARY,
      "user.id": CANARY,
    }).map(([name, stringValue]) => ({ key: name, value: { stringValue } })),
  };
}

describe("an export whose reading fails midway", () => {
  let server: TestServer;
  let http: HttpServer;
  beforeAll(async () => {
    server = await createTestServer();
    http = await listen(server.fetch, { host: "127.0.0.1", port: 0 });
    const calls = Array.from({ length: 9_000 }, (_, i) =>
      modelCall({
        id: `${CANARY} ${i}`,
        errorReason: "x".repeat(2_000),
        callTime: new Date(1_750_377_600_000 + i),
      }),
    );
    await createCallWriter(server.database.orm).record(calls);
  });
  afterAll(async () => {
    await http.close();
    await server.close();
  });

  it("is cut off, and logged once, without what was read", async () => {
    const printed = [vi.spyOn(console, "error"), vi.spyOn(console, "info"), vi.spyOn(console, "log")];
    const { headers } = await server.signed({ user: "did:abt:z1alice" });
    const url = `http://127.0.0.1:${http.port}/app/api/user/model-calls/export?startTime=1750377600&endTime=1750463999`;
    const response = await fetch(url, { headers });
    const reader = response.body!.getReader();
    await reader.read();
    await server.database.orm.em.fork().execute("alter table model_calls rename to model_calls_gone");
    const rest = (async () => {
      for (;;) if ((await reader.read()).done) return "ended well";
    })();
    await expect(rest).rejects.toThrow(/terminated|closed/);
    await server.database.orm.em.fork().execute("alter table model_calls_gone rename to model_calls");
    const id = response.headers.get("x-request-id");
    expect(server.log).toHaveLength(1);
    expect(server.log[0]!.split("\n")[0]).toBe(
      `request ${id}: 500 internal: GET /app/api/user/model-calls/export: broken off midway: SQLSTATE 42P01 relation "model_calls" does not exist`,
    );
    for (const spy of printed) expect(spy).not.toHaveBeenCalled();
    expect(server.log.join()).not.toContain(CANARY);
  });

  it("is not logged where its reader has left", async () => {
    server.log.length = 0;
    const { headers } = await server.signed({ user: "did:abt:z1alice" });
    const url = `http://127.0.0.1:${http.port}/app/api/user/model-calls/export?startTime=1750377600&endTime=1750463999`;
    const leaving = new AbortController();
    const response = await fetch(url, { headers, signal: leaving.signal });
    await response.body!.getReader().read();
    leaving.abort();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(server.log).toEqual([]);
  });
});

it("one of ours is logged with its frames, its message nowhere", async () => {
  const server = await createTestServer({
    repository: (own) => ({
      ...own,
      read: () => Promise.reject(new Error(`insert ${CANARY}\nrequest 1: 200`)),
    }),
  });
  try {
    const response = await server.get(STATS, { user: "did:abt:z1alice" });
    expect(response.status).toBe(500);
    const [first, ...frames] = server.log.join("\n").split("\n");
    expect(first).toBe(
      `request ${response.headers.get("x-request-id")}: 500 internal: GET /app/api/user/usage-stats: Error`,
    );
    expect(frames[0]).toMatch(/^ {4}at /);
    expect(server.log.join()).not.toContain(CANARY);
  } finally {
    await server.close();
  }
});
