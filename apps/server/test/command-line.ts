import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { findRunningPostgres } from "@usage-stats/dev-services/postgres";
import { onTestFinished } from "vitest";

const MAIN = join(import.meta.dirname, "../src/main.ts");

export type Said = { code: number | null; out: string; err: string };

/** The command line in real processes, on a data folder that is removed after the test, with any database that is left running. */
export async function commandLine() {
  const folder = await mkdtemp(join(tmpdir(), "usage-stats-command-"));
  await chmod(folder, 0o755);
  const dataDir = join(folder, "data");
  onTestFinished(async () => {
    const left = await findRunningPostgres(dataDir).catch(() => null);
    if (left) process.kill(left.pid, "SIGQUIT");
    await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  });
  return {
    folder,
    dataDir,
    /** Runs a command to its end, perhaps as another user, or with something on its standard input. */
    async run(
      args: string[],
      {
        account = {},
        env = {},
        stdin = "",
      }: { account?: object; env?: Record<string, string>; stdin?: string } = {},
    ): Promise<Said> {
      const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", MAIN, ...args], {
        ...account,
        cwd: "/",
        env: { PATH: process.env["PATH"], HOME: "/nonexistent", DATA_DIR: dataDir, NO_COLOR: "1", ...env },
      });
      child.stdin.end(stdin);
      const [out, err, [code]] = await Promise.all([
        text(child.stdout),
        text(child.stderr),
        once(child, "close"),
      ]);
      return { code: code as number | null, out, err };
    },
  };
}
