import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isPostmaster, readPidFile } from "./postmaster.ts";
import { isProcessAlive } from "../process-alive.ts";

// Above Linux's and macOS's largest pid.
const NOBODY_HAS_THIS_PID = 2_147_483_647;

/**
 * Makes a `postmaster.pid` left by a crash harmless. PostgreSQL does it alone when the pid in it is free; it refuses to start
 * when the number meanwhile belongs to another process (after a reboot, often) or the crash left the file empty.
 */
export async function disarmStalePidFile(cluster: string): Promise<void> {
  const file = join(cluster, "postmaster.pid");
  let text = readPidFile(cluster);
  if (text === "") {
    await sleep(1_000); // A server that is just starting fills it within microseconds.
    text = readPidFile(cluster);
    if (text === "") rmSync(file, { force: true });
  }
  if (!text) return;
  const pid = Number.parseInt(text, 10);
  if (isPostmaster(pid, cluster) || !isProcessAlive(pid)) return;
  // The other lines stay: by them PostgreSQL checks that no orphaned backend still uses the shared memory.
  writeFileSync(file, text.replace(/^-?\d+/, String(NOBODY_HAS_THIS_PID)));
}
