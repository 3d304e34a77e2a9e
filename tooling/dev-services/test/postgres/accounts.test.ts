import { spawnSync } from "node:child_process";
import { chownSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { startPostgres } from "../../src/postgres/index.ts";
import { ownerProcess, readyLine } from "./support/owner-process.ts";
import { query } from "./support/query.ts";
import { tempFolder } from "./support/temp-folder.ts";

const isRoot = process.getuid?.() === 0;
// initdb wants a user that /etc/passwd knows.
const DAEMON = 1;

it.skipIf(!isRoot)("starts, stops and starts again inside a folder only root may enter", async () => {
  const { dataDir } = await tempFolder(0o700);
  const first = await startPostgres({ dataDir, durability: "durable" });
  await query(first.url, "create table kept as select 42 as answer");
  await first.stop();
  const second = await startPostgres({ dataDir, durability: "durable" });
  expect(second.adopted).toBe(false);
  expect(await query(second.url, "select answer from kept")).toEqual([{ answer: 42 }]);
  expect(statSync(`/proc/${second.pid}`).uid).toBe(65_534);
});

it.skipIf(!isRoot)(
  "runs as the cluster's owner when root starts what an ordinary user made",
  async (context) => {
    const { path, dataDir } = await tempFolder();
    const ordinary = ordinaryUser();
    if (!ordinary) return context.skip("an ordinary user cannot run this checkout's Node");
    chownSync(path, DAEMON, DAEMON);
    const before = await readyLine(ownerProcess([dataDir, "stop"], ordinary));
    expect(before.uid).toBe(DAEMON);
    expect(statSync(join(dataDir, "postgres")).uid).toBe(DAEMON);
    const server = await startPostgres({ dataDir, durability: "durable" });
    expect(statSync(`/proc/${server.pid}`).uid).toBe(DAEMON);
  },
);

it("works for an ordinary user", async (context) => {
  const { path, dataDir } = await tempFolder();
  const ordinary = isRoot ? ordinaryUser() : [];
  if (!ordinary) return context.skip("an ordinary user cannot run this checkout's Node");
  if (isRoot) chownSync(path, DAEMON, DAEMON);
  const first = await readyLine(ownerProcess([dataDir, "stop"], ordinary));
  const second = await readyLine(ownerProcess([dataDir], ordinary));
  expect([first.adopted, second.adopted]).toEqual([false, false]);
  expect(second.uid).not.toBe(0);
  expect(await query(second.url, "select 1 as one")).toEqual([{ one: 1 }]);
});

function ordinaryUser(): string[] | null {
  const prefix = ["setpriv", `--reuid=${DAEMON}`, `--regid=${DAEMON}`, "--clear-groups"];
  const probe = [
    ...prefix,
    process.execPath,
    "--check",
    join(import.meta.dirname, "support", "own-postgres.ts"),
  ];
  return spawnSync(probe[0] ?? "", probe.slice(1)).status === 0 ? prefix : null;
}
