import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isSystemError } from "../system-error.ts";

/** What a live server says of itself in `postmaster.pid`. */
export interface Postmaster {
  pid: number;
  port: number;
  status: "starting" | "ready" | "stopping" | "standby";
}

/** The live postmaster of a cluster folder; null when there is none or its file is not complete yet. */
export function readPostmaster(cluster: string): Postmaster | null {
  const lines = readPidFile(cluster)?.split("\n");
  // Lines: pid, data folder, start time, port, socket folder, address, shared memory, status.
  const [pid, port, status] = [Number(lines?.[0]), Number(lines?.[3]), lines?.[7]?.trim()];
  if (!pid || !port || !status || !isPostmaster(pid, cluster)) return null;
  return { pid, port, status: status as Postmaster["status"] };
}

/** The text of `postmaster.pid`; null when there is no such file. */
export function readPidFile(cluster: string): string | null {
  try {
    return readFileSync(join(cluster, "postmaster.pid"), "utf8");
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return null;
    throw error;
  }
}

/** Whether process `pid` is the server of this very cluster: a number alone may long belong to someone else. */
export function isPostmaster(pid: number, cluster: string): boolean {
  return commandLine(pid).includes(`postgres -D ${cluster} `);
}

/** Empty for a process that has ended, also for one its parent has not waited for yet. */
function commandLine(pid: number): string {
  try {
    if (process.platform === "linux")
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
    return `${execFileSync("ps", ["-ww", "-o", "command=", "-p", String(pid)], { encoding: "utf8" }).trim()} `;
  } catch (error) {
    // ESRCH: it ended between open and read. `ps` exits 1 when there is no such process.
    if (isSystemError(error, "ENOENT", "ESRCH") || (error as { status?: number }).status === 1) return "";
    throw error;
  }
}
