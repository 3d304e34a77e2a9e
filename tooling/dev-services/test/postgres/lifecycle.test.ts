import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { Client } from "pg";
import { expect, it } from "vitest";
import { findRunningPostgres, startPostgres } from "../../src/postgres/index.ts";
import { processesMentioning } from "./support/processes.ts";
import { query } from "./support/query.ts";
import { tempFolder } from "./support/temp-folder.ts";

it("starts a durable server on loopback only, with a password nobody else can read", async () => {
  const { dataDir } = await tempFolder();
  const server = await startPostgres({ dataDir, durability: "durable" });
  expect(server.adopted).toBe(false);
  const settings = await query(
    server.url,
    `select current_database() as db, current_setting('listen_addresses') as listen, current_setting('unix_socket_directories') as socket,
            current_setting('fsync') as fsync, current_setting('synchronous_commit') as sync, current_setting('server_version_num') as version`,
  );
  expect(settings).toEqual([
    {
      db: "usage_stats",
      listen: "127.0.0.1",
      socket: "",
      fsync: "on",
      sync: "on",
      version: expect.stringMatching(/^18/),
    },
  ]);
  expect(statSync(join(dataDir, "postgres-password")).mode & 0o777).toBe(0o600);
  expect(statSync(join(dataDir, "postgres")).mode & 0o777).toBe(0o700);
  await expect(query(server.url.replace(/:[^:@]+@/, ":wrong@"), "select 1")).rejects.toThrow(
    /password authentication failed/,
  );
});

it("keeps the data over a restart", async () => {
  const { dataDir } = await tempFolder();
  const first = await startPostgres({ dataDir, durability: "durable" });
  await query(first.url, "create table kept as select 42 as answer");
  await first.stop();
  const second = await startPostgres({ dataDir, durability: "durable" });
  expect(second.adopted).toBe(false);
  expect(await query(second.url, "select answer from kept")).toEqual([{ answer: 42 }]);
});

it("leaves no process and no pid file when it stops, however often it is asked to", async () => {
  const { dataDir } = await tempFolder();
  const server = await startPostgres({ dataDir, durability: "relaxed" });
  expect(processesMentioning(dataDir)).not.toEqual([]);
  await Promise.all([server.stop(), server.stop()]);
  await server.stop();
  expect(processesMentioning(dataDir)).toEqual([]);
  expect(existsSync(join(dataDir, "postgres", "postmaster.pid"))).toBe(false);
  expect(readdirSync(dataDir).toSorted()).toEqual(["postgres", "postgres-password", "postgres.log"]);
});

it("lets a client leave by itself in a smart stop", async () => {
  const { dataDir } = await tempFolder();
  const server = await startPostgres({ dataDir, durability: "relaxed" });
  const client = new Client({ connectionString: server.url });
  await client.connect();
  const stopped = server.stop("smart");
  expect((await client.query("select pg_sleep(0.3), 1 as one")).rows).toMatchObject([{ one: 1 }]);
  await client.end();
  await stopped;
  expect(processesMentioning(dataDir)).toEqual([]);
});

it("lets another process find the server, and finds none where there is none", async () => {
  const { dataDir } = await tempFolder();
  expect(await findRunningPostgres(dataDir)).toBeNull();
  const server = await startPostgres({ dataDir, durability: "relaxed" });
  expect(await findRunningPostgres(dataDir)).toEqual({ url: server.url, pid: server.pid });
  await server.stop();
  expect(await findRunningPostgres(dataDir)).toBeNull();
});
