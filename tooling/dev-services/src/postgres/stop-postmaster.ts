import { setTimeout as sleep } from "node:timers/promises";
import { isPostmaster } from "./postmaster.ts";
import { isSystemError } from "../system-error.ts";
import { PostgresStartError } from "./postgres-start-error.ts";

/** `smart` first lets clients leave by themselves; `fast` ends their sessions. */
export type StopMode = "fast" | "smart";

const PATIENCE = [
  { mode: "smart", signal: "SIGTERM", ms: 30_000 },
  { mode: "fast", signal: "SIGINT", ms: 60_000 },
  // Safe, only slower: the next start recovers from the write-ahead log.
  { mode: "immediate", signal: "SIGQUIT", ms: 10_000 },
] as const;

/**
 * Ends the server and waits until it is gone; does nothing when it has already ended.
 * @throws PostgresStartError when it survives even an immediate shutdown.
 */
export async function stopPostmaster(pid: number, cluster: string, mode: StopMode): Promise<void> {
  for (const step of PATIENCE.slice(mode === "smart" ? 0 : 1)) {
    if (!signal(pid, cluster, step.signal)) return;
    if (await isGone(pid, cluster, step.ms)) return;
  }
  throw new PostgresStartError(`PostgreSQL (pid ${pid}) on ${cluster} does not end`);
}

/** False when there is nothing left to signal. */
function signal(pid: number, cluster: string, name: NodeJS.Signals): boolean {
  if (!isPostmaster(pid, cluster)) return false;
  try {
    return process.kill(pid, name);
  } catch (error) {
    if (isSystemError(error, "ESRCH")) return false;
    throw error;
  }
}

async function isGone(pid: number, cluster: string, withinMs: number): Promise<boolean> {
  const deadline = Date.now() + withinMs;
  while (isPostmaster(pid, cluster)) {
    if (Date.now() > deadline) return false;
    await sleep(10);
  }
  return true;
}
