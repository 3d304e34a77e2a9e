import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { findRunningPostgres } from "../../../src/postgres/index.ts";
import { stopPostmaster } from "../../../src/postgres/stop-postmaster.ts";

/** A folder that is removed after the test, with any server the test left on `<folder>/data`. */
export async function tempFolder(mode = 0o755): Promise<{ path: string; dataDir: string }> {
  const path = await mkdtemp(join(tmpdir(), "usage-stats-pg-"));
  await chmod(path, mode);
  const dataDir = join(path, "data");
  onTestFinished(async () => {
    const left = await findRunningPostgres(dataDir).catch(() => null);
    if (left) await stopPostmaster(left.pid, join(dataDir, "postgres"), "fast");
    await rm(path, { recursive: true, force: true, maxRetries: 10 });
  });
  return { path, dataDir };
}
