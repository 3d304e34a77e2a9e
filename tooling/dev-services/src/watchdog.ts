import { spawn } from "node:child_process";

interface Watched {
  pid: number;
  /** `KILL` for a process that may simply die; `QUIT` for one that has children of its own to end, as PostgreSQL has. */
  signal: "KILL" | "QUIT";
  /** What the process works in. */
  folder: string;
}

export interface Watchdog {
  /** Ends the watch: once the process has ended, its number may belong to another one. */
  dismiss(): void;
}

/**
 * Starts a watchdog, which ends a process and removes its folder when this process ends, also by SIGKILL, where no exit handler
 * runs: a shell waits for our end of a pipe to close. A process that a test has frozen (SIGSTOP) ends too.
 */
export function startWatchdog({ pid, signal, folder }: Watched): Watchdog {
  const script = `read -r _; kill -${signal} "$1"; kill -CONT "$1"; n=0
while kill -0 "$1" && [ $n -lt 600 ]; do n=$((n + 1)); sleep 0.1; done; rm -rf "$2"`;
  const shell = spawn("sh", ["-c", script, "sh", String(pid), folder], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  shell.unref();
  (shell.stdin as unknown as { unref(): void }).unref();
  return { dismiss: () => void shell.kill("SIGKILL") };
}
