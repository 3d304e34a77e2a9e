import { setTimeout as sleep } from "node:timers/promises";
import { type Postmaster, readPostmaster } from "./postmaster.ts";
import { PostgresStartError } from "./postgres-start-error.ts";

/**
 * The server already on this cluster, once it is ready; null when there is none, or it was just ending and is gone.
 * @param withinMs how long to wait for one that is starting or ending.
 */
export async function awaitPostmaster(cluster: string, withinMs = 300_000): Promise<Postmaster | null> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const found = readPostmaster(cluster);
    if (!found || found.status === "ready") return found;
    if (Date.now() > deadline) {
      throw new PostgresStartError(
        `PostgreSQL (pid ${found.pid}) on ${cluster} is still ${found.status} after ${withinMs / 1000} s`,
      );
    }
    await sleep(20);
  }
}
