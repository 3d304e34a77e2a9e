import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createUsageClient, type UsageClient } from "@usage-stats/client";
import { startTcpProxy, type TcpProxy } from "@usage-stats/db/testing";
import { startPostgres, type PostgresServer } from "@usage-stats/dev-services/postgres";
import { findRedisServer } from "@usage-stats/dev-services/redis";
import { type LocalUpstash, startLocalUpstash } from "@usage-stats/dev-services/upstash";
import { Client } from "pg";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createDemoRandom } from "../../src/demo/demo-random.ts";
import { type ServerProcess, serverProcesses } from "../server-process.ts";
import { CallHistory, isWithin } from "./call-history.ts";
import { writeUntil } from "./chaos-writers.ts";

const SECONDS = Number(process.env["LONG"] ?? 25);
const SEED = Number(process.env["SEED"] ?? Date.now() % 1_000_000);
const HOUR_MS = 3_600_000;
const WRITERS = 3;
const READERS = 3;
const REST_MS = 700;

let folder: string;
let postgres: PostgresServer;
let proxy: TcpProxy;
let upstash: LocalUpstash;
let processes: Awaited<ReturnType<typeof serverProcesses>>;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "usage-stats-chaos-"));
  postgres = await startPostgres({ dataDir: join(folder, "data"), durability: "durable" });
  proxy = await startTcpProxy(postgres.url);
  upstash = await startLocalUpstash(findRedisServer() === null ? "memory" : "redis");
  processes = await serverProcesses({
    DATABASE_URL: proxy.url,
    AUTH_SECRET: "chaos ".repeat(8),
    UPSTASH_REDIS_REST_URL: upstash.url,
    UPSTASH_REDIS_REST_TOKEN: upstash.token,
  });
}, 60_000);
afterEach(async () => {
  await processes.end();
  await upstash.close();
  await proxy.close();
  process.kill(postgres.pid, "SIGCONT");
  await postgres.stop();
  await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
}, 60_000);

/** As psql, past the proxy. */
async function psql(...statements: string[]): Promise<void> {
  const client = new Client({ connectionString: postgres.url });
  client.on("error", () => {
    // Its own connection may be ended with all others.
  });
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}

it(
  `every read lies between what was acknowledged before it and what was sent by its end, through ${SECONDS} s of faults (SEED=${SEED})`,
  async () => {
    const random = createDemoRandom(SEED);
    const history = new CallHistory();
    const from = Math.floor(Date.now() / HOUR_MS - 3) * HOUR_MS;
    const ranges = [2, 48].map((hours) => ({ from: new Date(from), to: new Date(from + hours * HOUR_MS) }));
    const key = await processes.key(["calls:write", "stats:read:any", "admin"]);
    const servers: ServerProcess[] = [await processes.serve(), await processes.serve()];
    const clients = (): UsageClient[] => servers.map(({ url }) => createUsageClient({ url, token: key }));
    const users = Array.from({ length: WRITERS }, (_, writer) => [`did:w${writer}:a`, `did:w${writer}:b`]);

    const counts = { reads: 0, hits: 0, failures: 0 };
    const wrong: unknown[] = [];
    const faults = new Map<string, number>();
    const ended = new AbortController();

    async function read(
      client: UsageClient,
      userDid: string | null,
      range: { from: Date; to: Date },
    ): Promise<void> {
      const began = performance.now();
      const query = { ...range, bucket: "hour" as const, compare: "none" as const };
      const stats =
        userDid === null
          ? await client.admin.usageStats(query)
          : await client.usageStats({ ...query, userDid });
      const bounds = history.bounds(userDid, range, began, performance.now());
      counts.reads += 1;
      counts.hits += Number(stats.freshness.source.startsWith("cache"));
      const { calls, totalUsage } = stats.totals;
      if (!isWithin({ calls, totalUsage }, bounds))
        wrong.push({ userDid, found: { calls, totalUsage }, bounds, stats });
      const inSeries = stats.series.reduce((sum, { metrics }) => sum + metrics.calls, 0);
      if (inSeries !== calls) wrong.push({ userDid, calls, inSeries });
    }

    const writing = users.map((own, writer) =>
      writeUntil(ended.signal, {
        name: `w${writer}`,
        users: own,
        clients,
        random: createDemoRandom(SEED + 1 + writer),
        history,
        from,
        onFailure: () => (counts.failures += 1),
      }),
    );
    const reading = Array.from({ length: READERS }, async (_, reader) => {
      const own = createDemoRandom(SEED + 100 + reader);
      while (!ended.signal.aborted) {
        const client = clients()[own.integer(0, 1)]!;
        const userDid = own.unit() < 0.2 ? null : users[own.integer(0, WRITERS - 1)]![own.integer(0, 1)]!;
        const range = ranges[own.integer(0, 1)]!;
        await read(client, userDid, range).catch(() => (counts.failures += 1));
        await sleep(own.integer(0, 15));
      }
    });

    const replace = async (at: number, end: (server: ServerProcess) => Promise<void> | void) => {
      await end(servers[at]!);
      servers[at] = await processes.serve();
    };
    const FAULTS: Record<string, () => Promise<void>> = {
      "server killed": () => replace(random.integer(0, 1), (server) => server.kill()),
      "server stopped": () => replace(random.integer(0, 1), (server) => server.stop()),
      "database crashed": async () => {
        process.kill(postgres.pid, "SIGQUIT");
        await expect.poll(() => isRunning(postgres.pid), { timeout: 10_000 }).toBe(false);
        postgres = await startPostgres({ dataDir: join(folder, "data"), durability: "durable" });
        proxy.leadTo(postgres.url);
      },
      "every connection ended": () =>
        psql(
          "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname = current_database()",
        ),
      "every connection reset": async () => proxy.cut(),
      "the network hangs": async () => {
        proxy.mode = "hold";
        await sleep(1_500);
        proxy.mode = "pass";
      },
      "database frozen": async () => {
        process.kill(postgres.pid, "SIGSTOP");
        await sleep(1_000);
        process.kill(postgres.pid, "SIGCONT");
      },
      "calls locked": () => psql("begin", "lock table model_calls", "select pg_sleep(1)", "commit"),
      "everything rebuilt": () =>
        psql(
          "insert into model_call_changes select distinct user_did, quarter_of(call_time) from model_calls",
        ),
      ...(upstash.redis !== null && {
        "redis killed": () => upstash.redis!.restart(),
        "redis frozen": async () => {
          upstash.redis!.pause();
          await sleep(1_000);
          upstash.redis!.resume();
        },
      }),
    };
    const names = Object.keys(FAULTS);
    const until = performance.now() + SECONDS * 1_000;
    for (let at = random.integer(0, names.length - 1); performance.now() < until; at += 1) {
      await sleep(REST_MS);
      const name = names[at % names.length]!;
      await FAULTS[name]!();
      faults.set(name, (faults.get(name) ?? 0) + 1);
    }
    ended.abort();
    const acknowledged = (await Promise.all(writing)).reduce((sum, writer) => sum + writer.acknowledged, 0);
    await Promise.all(reading);
    const during = { ...counts };

    // Nothing is written any more: every answer is exact now, on both servers, kept or not.
    for (const client of [...clients(), ...clients()])
      for (const user of [...users.flat(), null]) for (const range of ranges) await read(client, user, range);
    console.log(
      `SEED=${SEED}: ${JSON.stringify({ acknowledged, ...during, faults: Object.fromEntries(faults) })}`,
    );
    expect(wrong.slice(0, 5), `${wrong.length} reads were wrong`).toEqual([]);
    expect(acknowledged).toBeGreaterThan(SECONDS * 5);
    expect(during.reads).toBeGreaterThan(SECONDS * 5);
    expect(during.hits).toBeGreaterThan(0);
    expect(await processes.command(["verify"])).toMatch(/\b0 differences/);
    for (const server of servers) await server.stop();
  },
  (SECONDS + 120) * 1_000,
);

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
