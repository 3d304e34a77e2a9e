import { type ChildProcess, spawn } from "node:child_process";

/**
 * Ends `child` and removes its folder when this process ends, also by SIGKILL, where no exit handler runs: a shell waits
 * for our end of a pipe to close.
 */
export function killAfterUs(child: ChildProcess, folder: string): void {
  const script = 'read -r _; kill -KILL "$1"; rm -rf "$2"';
  const shell = spawn("sh", ["-c", script, "sh", String(child.pid), folder], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  shell.unref();
  (shell.stdin as unknown as { unref(): void }).unref();
  // The number may belong to another process after that.
  child.once("exit", () => shell.kill("SIGKILL"));
}
