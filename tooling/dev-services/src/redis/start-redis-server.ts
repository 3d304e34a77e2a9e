import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Readable } from "node:stream";
import { freePort } from "../free-port.ts";
import { startWatchdog } from "../watchdog.ts";
import { findRedisServer } from "./find-redis-server.ts";

/** A Redis for one test: empty, on loopback, keeping nothing on disk. It ends with this process, however that ends. */
export interface RedisServer {
  url: string;
  port: number;
  /** Another one after `restart()`. */
  readonly pid: number;
  /** Ends it as a crash would (SIGKILL). */
  kill(): Promise<void>;
  /** Starts it anew, empty, on the same port. */
  restart(): Promise<void>;
  /** Lets it hang (SIGSTOP): connections stay open, nothing is answered. */
  pause(): void;
  resume(): void;
  /** Ends it for good and removes its folder. */
  stop(): Promise<void>;
}

/** A `redis-server` that cannot be started, and what it printed: its message is for whoever runs this. */
export class RedisStartError extends Error {
  override readonly name = "RedisStartError";
}

type RedisProcess = ChildProcessByStdio<null, Readable, Readable>;

/**
 * Starts a `redis-server` on a free port.
 * @throws RedisStartError when there is none on the PATH, or with what it printed when it does not start.
 */
export async function startRedisServer(): Promise<RedisServer> {
  const file = findRedisServer();
  if (!file) throw new RedisStartError("There is no redis-server on the PATH");
  const folder = await mkdtemp(join(tmpdir(), "usage-stats-redis-"));
  const port = await freePort();
  let child = await launch(file, port, folder);

  async function kill(): Promise<void> {
    if (hasEnded(child)) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  }

  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    get pid() {
      return child.pid!;
    },
    kill,
    async restart() {
      await kill();
      child = await launch(file, port, folder);
    },
    pause: () => void child.kill("SIGSTOP"),
    resume: () => void child.kill("SIGCONT"),
    async stop() {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function launch(file: string, port: number, folder: string): Promise<RedisProcess> {
  const args = ["--port", String(port), "--bind", "127.0.0.1", "--dir", folder];
  const child = spawn(file, [...args, "--save", "", "--appendonly", "no"], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  if (child.pid !== undefined) {
    const watchdog = startWatchdog({ pid: child.pid, signal: "KILL", folder });
    child.once("exit", () => watchdog.dismiss());
  }
  await untilReady(child);
  return child;
}

async function untilReady(child: RedisProcess): Promise<void> {
  let printed = "";
  await new Promise<void>((resolve, reject) => {
    const read = (chunk: Buffer) => {
      printed += chunk.toString();
      if (printed.includes("Ready to accept connections")) resolve();
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    child.once("error", (cause) => {
      reject(new RedisStartError(`redis-server cannot be run: ${cause.message}`, { cause }));
    });
    child.once("exit", () => reject(new RedisStartError(`redis-server did not start:\n${printed}`)));
  });
}

function hasEnded(child: RedisProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}
