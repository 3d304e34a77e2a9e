import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findRunningPostgres } from "@usage-stats/dev-services/postgres";
import { expect, vi } from "vitest";

const MAIN = join(import.meta.dirname, "../src/main.ts");

export type ServerProcess = {
  url: string;
  pid: number;
  /** Ends it as `kill -9` does. */
  kill(): void;
  /** Ends it as an operator does. */
  stop(): Promise<void>;
  /** Asks it to end. */
  terminate(): void;
  /** Its exit code, once it has ended. */
  exit: Promise<number | null>;
  /** Everything that it has printed. */
  text(): string;
};

/** Real processes of the command line, on a data folder of their own. */
export async function serverProcesses(env: Record<string, string> = {}) {
  const folder = await mkdtemp(join(tmpdir(), "usage-stats-process-"));
  const dataDir = join(folder, "data");
  const children: ChildProcess[] = [];

  function run(args: string[]) {
    const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", MAIN, ...args], {
      env: {
        PATH: process.env["PATH"],
        HOME: folder,
        DATA_DIR: dataDir,
        DEMO: "off",
        PORT: "0",
        RATE_LIMITS: "off",
        ...env,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    children.push(child);
    const text = { out: "", all: "" };
    child.stdout.on("data", (chunk: Buffer) => {
      text.out += chunk.toString();
      text.all += chunk.toString();
    });
    child.stderr.on("data", (chunk: Buffer) => (text.all += chunk.toString()));
    const exit = once(child, "close").then(([code]) => code as number | null);
    return { child, text, exit };
  }

  return {
    folder,
    /** Runs a command to its end; gives its standard output. */
    async command(args: string[]): Promise<string> {
      const { text, exit } = run(args);
      if ((await exit) !== 0) throw new Error(`${args.join(" ")} failed: ${text.all}`);
      return text.out;
    },
    /** Signs a session token. */
    async token(user: string): Promise<string> {
      return (await this.command(["token", "--user", user])).trim();
    },
    /** Makes an API key. */
    async key(scopes: string[]): Promise<string> {
      const out = await this.command(["keys", "create", "--name", "test", "--scope", ...scopes]);
      return out.trim();
    },
    async serve(): Promise<ServerProcess> {
      const { child, text, exit } = run(["serve"]);
      await vi.waitFor(() => expect(text.all).toMatch(/Stop with/), { timeout: 30_000 });
      return {
        url: /http:\/\/localhost:\d+/.exec(text.all)![0],
        pid: child.pid!,
        kill: () => child.kill("SIGKILL"),
        async stop() {
          child.kill("SIGTERM");
          await exit;
        },
        terminate: () => child.kill("SIGTERM"),
        exit,
        text: () => text.all,
      };
    },
    async end(): Promise<void> {
      for (const child of children) child.kill("SIGKILL");
      const left = await findRunningPostgres(dataDir);
      if (left) process.kill(left.pid, "SIGQUIT");
      await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
    },
  };
}
