import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type HttpServer, listen } from "../src/serve/http-server.ts";
import { createTestServer, type TestServer } from "./test-server.ts";

const ALICE = { user: "did:abt:z1alice" };
const STATS = "/app/api/user/usage-stats?startTime=1750377600&endTime=1750463999";

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
  return { socket, closed: once(socket, "close").then(() => received) };
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
    const { authorization } = (await server.signed({ user: "did:abt:z1root", role: "admin" })).headers;
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
