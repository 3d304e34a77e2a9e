import { Agent, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { signSessionToken } from "@usage-stats/identity";
import { type OwnPostgres, startOwnPostgres } from "./own-postgres.ts";
import { type ServerProcess, serverProcesses } from "./server-process.ts";
import { AUTH_SECRET } from "./test-server.ts";

const USER = "did:abt:z1drain";
const NOW_S = Math.floor(Date.now() / 1000);
const REPORT = `/app/api/user/usage-stats?startTime=${NOW_S - 86_400}&endTime=${NOW_S}`;
const CALL_TIME = new Date(Date.now() - 3_600_000).toISOString();

let postgres: OwnPostgres;
let psql: Client;
let processes: Awaited<ReturnType<typeof serverProcesses>>;
let token: string;

beforeEach(async () => {
  postgres = await startOwnPostgres();
  psql = new Client({ connectionString: postgres.url });
  await psql.connect();
  token = await signSessionToken(AUTH_SECRET, { userDid: USER, role: "admin" }, "1h", new Date());
}, 90_000);
afterEach(async () => {
  await psql.end();
  await processes.end();
  await postgres.stop();
});

async function serve(env: Record<string, string>): Promise<ServerProcess> {
  processes = await serverProcesses({ DATABASE_URL: postgres.url, AUTH_SECRET, ...env });
  return processes.serve();
}

type Answer = { status: number; connection: string | undefined };

/** Asks over a connection that is kept. Rejects with `ECONNREFUSED` where nobody listens any more. */
function ask(server: ServerProcess, agent: Agent, path: string, body?: string): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const headers = {
    authorization: `Bearer ${token}`,
    ...(body !== undefined && { "content-type": "application/json" }),
  };
  const sent = request(
    server.url + path,
    { agent, headers, method: body === undefined ? "GET" : "POST" },
    (response) => {
      response.resume();
      response.on("error", reject);
      response.on("end", () =>
        resolve({ status: response.statusCode!, connection: response.headers.connection }),
      );
    },
  );
  sent.on("error", reject);
  sent.end(body);
  return promise;
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : String(error);
}

type Answers = { n: number; result: number | string }[];

/** Asks again and again until nobody listens, and puts what is answered into `answers`. */
async function askOnAndOn(
  server: ServerProcess,
  bodyOf: (n: number) => string | undefined,
  agent: Agent,
  answers: Answers,
): Promise<void> {
  for (let n = 0; ; n += 1) {
    const body = bodyOf(n);
    const path = body === undefined ? REPORT : "/app/api/model-calls";
    const once = () => ask(server, agent, path, body).then(({ status }) => status, codeOf);
    const result = await once();
    if (result === "ECONNREFUSED") return;
    answers.push({ n, result });
  }
}

describe("a server that is told to stop", () => {
  it("fails none of twenty readers and twenty writers, and has all that it acknowledged", async () => {
    const server = await serve({ DRAIN_MS: "300" });
    const agent = new Agent({ keepAlive: true });
    const read = Array.from({ length: 20 }, (): Answers => []);
    const written = Array.from({ length: 20 }, (): Answers => []);
    const readers = read.map((answers) => askOnAndOn(server, () => undefined, agent, answers));
    const writers = written.map((answers, writer) =>
      askOnAndOn(
        server,
        (n) =>
          JSON.stringify([
            {
              id: `${writer}-${n}`,
              userDid: USER,
              providerId: "p",
              model: "m",
              type: "custom",
              status: "success",
              callTime: CALL_TIME,
            },
          ]),
        agent,
        answers,
      ),
    );
    await vi.waitUntil(() => [...read, ...written].every(({ length }) => length > 2), { timeout: 30_000 });
    server.terminate();
    await Promise.all([...readers, ...writers]);
    expect(await server.exit).toBe(0);
    expect(server.text()).not.toMatch(/failed/);
    for (const answers of [...read, ...written])
      expect(answers.filter(({ result }) => result !== 200)).toEqual([]);
    const { rows } = await psql.query<{ id: string }>("select id from model_calls");
    const stored = new Set(rows.map(({ id }) => id));
    for (const [writer, answers] of written.entries())
      for (const { n } of answers) expect(stored).toContain(`${writer}-${n}`);
    agent.destroy();
  }, 90_000);

  it("says so while it still accepts and answers", async () => {
    const server = await serve({ DRAIN_MS: "5000" });
    const agent = new Agent({ keepAlive: true });
    expect(await ask(server, agent, "/ready")).toEqual({ status: 200, connection: "keep-alive" });
    server.terminate();
    await vi.waitFor(async () => expect((await ask(server, agent, "/ready")).status).toBe(503));
    expect(await (await fetch(`${server.url}/ready`)).json()).toEqual({
      status: "not ready",
      reasons: ["the server is stopping"],
    });
    expect((await ask(server, new Agent(), REPORT)).status).toBe(200);
    expect((await ask(server, agent, "/health")).status).toBe(200);
    expect(await server.exit).toBe(0);
    agent.destroy();
  }, 90_000);

  it("answers what is under way, however long that takes within its deadline", async () => {
    const server = await serve({ DRAIN_MS: "0" });
    const agent = new Agent({ keepAlive: true });
    expect((await ask(server, agent, "/health")).status).toBe(200);
    await psql.query("begin; lock table model_call_stats in access exclusive mode");
    const report = ask(server, agent, REPORT);
    await vi.waitFor(async () => {
      // Within a transaction what was seen once stays.
      await psql.query("select pg_stat_clear_snapshot()");
      const { rows } = await psql.query("select 1 from pg_stat_activity where wait_event_type = 'Lock'");
      expect(rows.length).toBeGreaterThan(0);
    });
    server.terminate();
    await vi.waitFor(() => expect(ask(server, new Agent(), "/health")).rejects.toThrow("ECONNREFUSED"));
    await sleep(1_000);
    await psql.query("rollback");
    expect(await report).toEqual({ status: 200, connection: "close" });
    expect(await server.exit).toBe(0);
    agent.destroy();
  }, 90_000);

  it.skipIf(process.platform !== "linux")(
    "ends with 1 at its deadline where its database hangs",
    async () => {
      const server = await serve({ DRAIN_MS: "0", SHUTDOWN_DEADLINE_MS: "2000" });
      const asked = ask(server, new Agent(), "/health");
      expect((await asked).status).toBe(200);
      postgres.freeze();
      try {
        const report = ask(server, new Agent(), REPORT).then(({ status }) => status, codeOf);
        // It has arrived by then; nothing can be seen of it in a database that is frozen.
        await sleep(300);
        server.terminate();
        expect(await server.exit).toBe(1);
        expect(server.text()).toMatch(/did not stop within 2000 ms/);
        expect(await report).toBe("ECONNRESET");
      } finally {
        postgres.thaw();
      }
    },
    90_000,
  );
});
