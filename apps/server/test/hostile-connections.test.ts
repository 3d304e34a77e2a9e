import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { ACCESS, appRouter } from "@usage-stats/api";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type HttpServer, listen } from "../src/serve/http-server.ts";
import { createTestServer, type TestServer } from "./test-server.ts";

const ALICE = { user: "did:abt:z1alice" };
const ROOT = { user: "did:abt:z1root", role: "admin" as const };
const RANGE = "startTime=1750377600&endTime=1750463999";
const STATS = `/app/api/user/usage-stats?${RANGE}`;
const EXPORT = `/app/api/user/model-calls/export?${RANGE}`;

let server: TestServer;
let http: HttpServer;
const sockets: Socket[] = [];

beforeAll(async () => {
  server = await createTestServer();
  const quick = { requestTimeout: 600, headersTimeout: 600, connectionsCheckingInterval: 100 };
  http = await listen(server.fetch, { host: "127.0.0.1", port: 0 }, quick);
});
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  await http.close();
  await server.close();
});

/** A connection, and everything that came over it once the server has closed it. */
async function open(text: string) {
  const socket = connect(http.port, "127.0.0.1");
  sockets.push(socket);
  let received = "";
  socket.on("data", (chunk: Buffer) => (received += chunk.toString()));
  socket.on("error", () => {});
  await once(socket, "connect");
  socket.write(text);
  // A connection may also be closed by an error: the server does not read what comes after its answer.
  const closed = new Promise<string>((resolve) => socket.once("close", () => resolve(received)));
  return { socket, closed };
}

/** How many statements wait for a lock. */
async function waiting(): Promise<number> {
  const [row] = await server.database.orm.em.fork().execute<{ n: number }[]>(
    `select count(*)::int as n from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`,
  );
  return row!.n;
}

describe("a client that goes away", () => {
  it.each([
    ["REST", STATS],
    [
      "tRPC",
      `/trpc/usageStats?input=${encodeURIComponent('{"from":"2025-06-20T00:00:00Z","to":"2025-06-21T00:00:00Z"}')}`,
    ],
  ])("ends the statement that was run for it, and nothing is logged (%s)", async (_, path) => {
    const { headers } = await server.signed(ALICE);
    const locker = server.database.orm.em.fork();
    await locker.begin();
    try {
      await locker.execute("lock table model_call_stats in access exclusive mode");
      const gone = new AbortController();
      const asked = fetch(`http://127.0.0.1:${http.port}${path}`, { headers, signal: gone.signal }).catch(
        String,
      );
      await vi.waitFor(async () => expect(await waiting()).toBe(1));
      gone.abort();
      await asked;
      await vi.waitFor(async () => expect(await waiting()).toBe(0), { timeout: 3_000 });
      expect(server.log).toEqual([]);
    } finally {
      await locker.rollback();
    }
  });
});

describe("a client that is slow", () => {
  it("is cut off while it sends its headers, or its body, and others are served", async () => {
    const { authorization } = (await server.signed(ROOT)).headers;
    const slow = await Promise.all([
      ...Array.from({ length: 100 }, () => open("GET /health HTTP/1.1\r\nhost: x\r\n")),
      ...Array.from({ length: 100 }, () =>
        open(
          `POST /app/api/admin/rebuild HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{`,
        ),
      ),
    ]);
    const drip = setInterval(() => {
      for (const { socket } of slow) socket.write("x");
    }, 100);
    try {
      expect((await fetch(`http://127.0.0.1:${http.port}/health`)).status).toBe(200);
      const received = await Promise.all(slow.map(({ closed }) => closed));
      expect(received.filter((text) => /^HTTP\/1\.1 (?!408)/.test(text))).toEqual([]);
    } finally {
      clearInterval(drip);
    }
    const rows = await server.database.orm.em.fork().execute("select from model_call_changes");
    expect(rows).toEqual([]);
  });
});

describe("a HEAD request", () => {
  const routes = Object.keys(ACCESS)
    .filter((operation) => operation.includes(" "))
    .map((operation) => operation.split(" ") as [string, string]);

  it("is answered everywhere without a body, and holds nothing afterwards: exports still begin", async () => {
    const { headers } = await server.signed(ROOT);
    // A run and a conversation are asked for as a whole.
    const takesRange = (path: string) => path.startsWith("/app/api") && !path.includes("/:");
    const ask = (path: string, method: string) =>
      fetch(`http://127.0.0.1:${http.port}${path}?${takesRange(path) ? RANGE : ""}`, {
        method,
        headers,
      });
    for (const [method, path] of [...routes, ["GET", "/trpc/usageStats"], ["POST", "/trpc/admin.rebuild"]])
      for (let i = 0; i < 5; i += 1) {
        const response = await ask(path!, "HEAD");
        if (method === "GET")
          expect([path, response.status]).toEqual([path, path!.startsWith("/trpc") ? 204 : 200]);
        else expect([204, 405]).toContain(response.status);
        expect(await response.text()).toBe("");
      }
    for (const [method, path] of routes)
      if (method === "GET") {
        const response = await ask(path, "GET");
        expect([path, response.status]).toEqual([path, 200]);
        await response.arrayBuffer();
      }
  });

  it("for an export reads no call, and is refused as GET is", async () => {
    const { headers } = await server.signed(ALICE);
    const locker = server.database.orm.em.fork();
    await locker.begin();
    try {
      await locker.execute("lock table model_calls in access exclusive mode");
      const response = await fetch(`http://127.0.0.1:${http.port}${EXPORT}`, { method: "HEAD", headers });
      expect(response.status).toBe(200);
      expect(response.headers.get("content-disposition")).toContain("model-calls.csv");
    } finally {
      await locker.rollback();
    }
    for (const wrong of ["&timezone=Mars/Base", "&limit=5", "&status=done"])
      expect((await server.request(EXPORT + wrong, { method: "HEAD", headers })).status).toBe(400);
    const years = EXPORT.replace("1750377600", "900000000");
    expect((await server.request(years, { method: "HEAD", headers })).status).toBe(400);
  });
});

describe("an export that is not read", () => {
  it("ends by itself, and gives its place to another", async () => {
    await server.database.orm.em.fork().execute(
      `select ensure_model_calls_partition('2025-06-01');
       insert into model_calls (user_did, id, call_time, provider_id, model, type, status, metadata)
       select ?, i::text, '2025-06-20'::timestamptz + i * interval '1 second', 'p', 'm', 'custom', 'success',
              jsonb_build_object('x', repeat('x', 4000))
         from generate_series(1, 10000) i`,
      [ALICE.user],
    );
    const limits = { patienceMs: 600, minBytesPerSecond: 100_000 };
    const impatient = await listen(server.fetch, { host: "127.0.0.1", port: 0 }, limits);
    try {
      const { headers } = await server.signed(ALICE);
      for (let i = 0; i < 2; i += 1) {
        const socket = connect(impatient.port, "127.0.0.1");
        sockets.push(socket);
        socket.on("error", () => {});
        socket.write(`GET ${EXPORT} HTTP/1.1\r\nhost: x\r\nauthorization: ${headers.authorization}\r\n\r\n`);
      }
      const get = (path = EXPORT) => fetch(`http://127.0.0.1:${impatient.port}${path}`, { headers });
      await vi.waitFor(async () => expect((await get(`${EXPORT}&search=none`)).status).toBe(429));
      await vi.waitFor(async () => expect((await get(`${EXPORT}&search=none`)).status).toBe(200), {
        timeout: 10_000,
      });
      // Whoever does read gets all of it.
      expect((await (await get()).text()).trimEnd().split("\r\n")).toHaveLength(10_001);
      expect(server.errors).toEqual([]);
    } finally {
      await impatient.close();
    }
  });
});

describe("a body that is held back", () => {
  const mutations = Object.entries(
    appRouter._def.procedures as unknown as Record<string, { _def: { type: string } }>,
  ).filter(([, { _def }]) => _def.type === "mutation");
  const taking = [
    ...Object.keys(ACCESS).flatMap((name) => (name.startsWith("POST ") ? [name.slice("POST ".length)] : [])),
    ...mutations.map(([name]) => `/trpc/${name}`),
    `/trpc/${mutations.map(([name]) => name).join(",")}?batch=1`,
  ];
  const post = async (
    path: string,
    { length = 900_000, as = null as typeof ROOT | null, type = "application/json" } = {},
  ) => {
    const authorization =
      as === null ? "" : `authorization: ${(await server.signed(as)).headers.authorization}\r\n`;
    const { closed } = await open(
      `POST ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n${authorization}content-type: ${type}\r\ncontent-length: ${length}\r\n\r\n{`,
    );
    return (await closed).slice("HTTP/1.1 ".length, "HTTP/1.1 ".length + 3);
  };

  it.each(taking)("is not waited for before a stranger is refused (%s)", async (path) => {
    expect(await post(path)).toBe("401");
  });

  it.each(["/trpc/nothing", "/trpc/nothing,none?batch=1", "/nothing", "/app/api/nothing"])(
    "is not waited for where there is nothing (%s)",
    async (path) => {
      expect(await post(path, { as: ROOT })).toBe("404");
    },
  );

  it.each(["/trpc/usageStats", STATS, "/health"])(
    "is not waited for where none is taken (%s)",
    async (path) => {
      expect(await post(path, { as: ROOT })).toBe("405");
    },
  );

  it.each(taking.filter((path) => !path.endsWith("batch=1")))(
    "is refused before it has come where it is too large, or of a wrong type (%s)",
    async (path) => {
      expect(await post(path, { as: ROOT, length: 5_000_000 })).toBe("413");
      expect(await post(path, { as: ROOT, type: "text/plain" })).toBe("415");
    },
  );
});

describe("a load balancer's check by HTTP/1.0, without a host,", () => {
  it.each(["/health", "/ready"])("of %s is answered", async (path) => {
    const { closed } = await open(`GET ${path} HTTP/1.0\r\n\r\n`);
    expect(await closed).toMatch(/^HTTP\/1\.1 200 /);
  });
});

describe("a request that is none", () => {
  it.each([
    [
      "two lengths",
      "POST /health HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nx",
      400,
    ],
    [
      "a length and chunks",
      "POST /health HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
      400,
    ],
    ["no HTTP", "hello\r\n\r\n", 400],
    ["a header with a NUL", "GET /health HTTP/1.1\r\nhost: x\r\nx: a\0b\r\n\r\n", 400],
    ["a header without a name", "GET /health HTTP/1.1\r\nhost: x\r\n: y\r\n\r\n", 400],
    [
      "a hundred and one headers",
      `GET /health HTTP/1.1\r\nhost: x\r\n${Array.from({ length: 101 }, (_, i) => `x${i}: y\r\n`).join("")}\r\n`,
      431,
    ],
    ["headers of 17 kB", `GET /health HTTP/1.1\r\nhost: x\r\nx: ${"y".repeat(17_000)}\r\n\r\n`, 431],
    ["an unknown method", "BREW /health HTTP/1.1\r\nhost: x\r\n\r\n", 400],
    ["a method that is not for us", "TRACE /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", 405],
    ["a tunnel", "CONNECT x:1 HTTP/1.1\r\nhost: x\r\n\r\n", 0],
  ])("%s is refused", async (_, text, status) => {
    const { closed } = await open(text);
    const received = await closed;
    if (status === 0) expect(received).toBe("");
    else expect(received.slice(0, 12)).toBe(`HTTP/1.1 ${status}`);
    expect(received.toLowerCase()).not.toMatch(/server:|x-powered-by/);
  });

  it("with a header called __proto__ is served as any", async () => {
    const { closed } = await open(
      "GET /health HTTP/1.1\r\nhost: x\r\n__proto__: y\r\nconnection: close\r\n\r\n",
    );
    expect((await closed).slice(0, 12)).toBe("HTTP/1.1 200");
  });
});
