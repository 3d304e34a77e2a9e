import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startWatchdog } from "../watchdog.ts";
import { type PostgresServer, startPostgres } from "./start-postgres.ts";

/** A new, empty, fast server in a folder of its own. Its `stop()` removes the folder; so does the death of this process. */
export async function startTestPostgres(): Promise<PostgresServer> {
  const dataDir = await mkdtemp(join(tmpdir(), "usage-stats-test-"));
  await chmod(dataDir, 0o755);
  const server = await startPostgres({ dataDir, durability: "relaxed" });
  const watchdog = startWatchdog({ pid: server.pid, signal: "QUIT", folder: dataDir });
  let ending: Promise<void> | undefined;
  const stop: PostgresServer["stop"] = async (mode) => {
    await server.stop(mode);
    watchdog.dismiss();
    await rm(dataDir, { recursive: true, force: true, maxRetries: 10 });
  };
  return { ...server, stop: (mode) => (ending ??= stop(mode)) };
}
