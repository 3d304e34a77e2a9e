import { execFileSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";

/** Command lines of live processes that mention `path`, of every user. */
export function processesMentioning(path: string): string[] {
  const all = execFileSync("ps", ["-Aww", "-o", "pid=,stat=,command="], { encoding: "utf8" }).split("\n");
  return all.filter((line) => line.includes(path) && !/^\s*\d+\s+Z/.test(line));
}

/** Waits until `holds` is true. */
export async function eventually(holds: () => boolean, withinMs = 10_000): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(`still not so after ${withinMs} ms: ${holds.toString()}`);
    await sleep(5);
  }
}
