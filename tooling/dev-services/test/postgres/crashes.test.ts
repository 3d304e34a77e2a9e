import { once } from "node:events";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { startPostgres } from "../../src/postgres/index.ts";
import { ownerProcess, readyLine } from "./support/owner-process.ts";
import { eventually, processesMentioning } from "./support/processes.ts";
import { query } from "./support/query.ts";
import { tempFolder } from "./support/temp-folder.ts";

it("adopts the server of an owner that was killed, and can stop it", async () => {
  const { dataDir } = await tempFolder();
  const owner = ownerProcess([dataDir]);
  const before = await readyLine(owner);
  owner.kill("SIGKILL");
  await once(owner, "exit");
  const server = await startPostgres({ dataDir, durability: "durable" });
  expect(server).toMatchObject({ adopted: true, url: before.url, pid: before.pid });
  await server.stop();
  expect(processesMentioning(dataDir)).toEqual([]);
});

it("recovers committed rows after a kill -9 of the server itself", async () => {
  const { dataDir } = await tempFolder();
  const first = await startPostgres({ dataDir, durability: "durable" });
  await query(first.url, "create table kept as select generate_series(1, 1000) as n");
  process.kill(first.pid, "SIGKILL");
  const second = await startPostgres({ dataDir, durability: "durable" });
  expect(second.adopted).toBe(false);
  expect(await query(second.url, "select count(*)::int as rows from kept")).toEqual([{ rows: 1000 }]);
});

it.each([
  [
    "names a process that is not PostgreSQL",
    `${process.pid}\n/elsewhere\n1700000000\n5432\n\n127.0.0.1\n\nready   \n`,
  ],
  ["is empty", ""],
])("starts when the pid file left by a crash %s", async (_, text) => {
  const { dataDir } = await tempFolder();
  await (await startPostgres({ dataDir, durability: "relaxed" })).stop();
  writeFileSync(join(dataDir, "postgres", "postmaster.pid"), text);
  const server = await startPostgres({ dataDir, durability: "relaxed" });
  expect(server.adopted).toBe(false);
});

it("heals when it was killed while making the cluster", async () => {
  const { dataDir } = await tempFolder();
  const owner = ownerProcess([dataDir]);
  await eventually(
    () => existsSync(dataDir) && readdirSync(dataDir).some((name) => name.startsWith("postgres.new-")),
  );
  owner.kill("SIGKILL");
  await once(owner, "exit");
  expect(existsSync(join(dataDir, "postgres"))).toBe(false);
  const server = await startPostgres({ dataDir, durability: "durable" });
  expect(await query(server.url, "select 1 as one")).toEqual([{ one: 1 }]);
  expect(readdirSync(dataDir).toSorted()).toEqual(["postgres", "postgres-password", "postgres.log"]);
});

it("ends up with one server when several processes start at once on a new folder", async () => {
  const { dataDir } = await tempFolder();
  const servers = await Promise.all([1, 2, 3].map(() => readyLine(ownerProcess([dataDir]))));
  expect(new Set(servers.map(({ url, pid }) => `${pid} ${url}`)).size).toBe(1);
  expect(servers.filter(({ adopted }) => !adopted)).toHaveLength(1);
  expect(processesMentioning(`-D ${join(dataDir, "postgres")} `)).toHaveLength(1);
});
