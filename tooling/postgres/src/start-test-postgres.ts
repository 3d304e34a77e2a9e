import { spawn } from "node:child_process";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type PostgresServer, startPostgres } from "./start-postgres.ts";

/** A new, empty, fast server in a folder of its own. Its `stop()` removes the folder; so does the death of this process. */
export async function startTestPostgres(): Promise<PostgresServer> {
  const dataDir = await mkdtemp(join(tmpdir(), "usage-stats-test-"));
  await chmod(dataDir, 0o755);
  const server = await startPostgres({ dataDir, durability: "relaxed" });
  const watchdog = watchOver(server.pid, dataDir);
  let ending: Promise<void> | undefined;
  const stop: PostgresServer["stop"] = async (mode) => {
    await server.stop(mode);
    watchdog.kill("SIGKILL");
    await rm(dataDir, { recursive: true, force: true, maxRetries: 10 });
  };
  return { ...server, stop: (mode) => (ending ??= stop(mode)) };
}

/**
 * A shell that waits for our end of a pipe to close, which also a SIGKILL does to us, where no exit handler runs;
 * then ends the server, also one that a test has frozen (SIGSTOP).
 */
function watchOver(pid: number, dataDir: string) {
  const script =
    'read -r _; kill -QUIT "$1"; kill -CONT "$1"; while kill -0 "$1" 2>/dev/null; do sleep 0.1; done; rm -rf "$2"';
  const shell = spawn("sh", ["-c", script, "sh", String(pid), dataDir], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  shell.unref();
  (shell.stdin as unknown as { unref(): void }).unref();
  return shell;
}
