import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { expect, it } from "vitest";
import { startTestPostgres } from "../../src/postgres/index.ts";
import { ownerProcess, readyLine } from "./support/owner-process.ts";
import { eventually, processesMentioning } from "./support/processes.ts";
import { query } from "./support/query.ts";

it("gives an empty server and removes everything when it stops", async () => {
  const server = await startTestPostgres();
  const rows = await query(
    server.url,
    "select current_setting('data_directory') as folder, current_setting('fsync') as fsync",
  );
  expect(rows).toEqual([{ folder: expect.stringContaining("usage-stats-test-"), fsync: "off" }]);
  const folder = String(rows[0]?.["folder"]);
  await server.stop();
  expect(processesMentioning(folder)).toEqual([]);
  expect(leftovers(folder)).toEqual([]);
});

it.each(["runs", "is frozen"])(
  "removes everything when the test process is killed while the server %s",
  async (state) => {
    const owner = ownerProcess(["--test"]);
    const { url, pid } = await readyLine(owner);
    const folder = String(
      (await query(url, "select current_setting('data_directory') as folder"))[0]?.["folder"],
    );
    if (state === "is frozen") process.kill(pid, "SIGSTOP");
    owner.kill("SIGKILL");
    await once(owner, "exit");
    await eventually(() => processesMentioning(folder).length === 0 && leftovers(folder).length === 0);
    expect(existsSync(folder)).toBe(false);
  },
);

function leftovers(folder: string): string[] {
  const name = folder.split("/").at(-2) ?? "";
  return readdirSync(tmpdir()).filter((entry) => entry === name);
}
