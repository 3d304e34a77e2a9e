import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../free-port.ts";
import { type PostgresBinaries } from "./binaries.ts";
import { type PostgresFolder } from "./postgres-folder.ts";
import { type Postmaster, readPostmaster } from "./postmaster.ts";
import { asAccount, type ServerAccount } from "./server-account.ts";
import { type Durability, serverArguments } from "./server-arguments.ts";
import { ServerLog } from "./server-log.ts";
import { PostgresStartError } from "./postgres-start-error.ts";

// Long, because recovery after a crash reads the write-ahead log back.
const READY_WITHIN_MS = 300_000;

interface LaunchOptions {
  folder: PostgresFolder;
  binaries: PostgresBinaries;
  account: ServerAccount;
  durability: Durability;
}

/**
 * Starts one server process and waits until it is ready for connections.
 * @returns null when it gave way to something that passes: a taken port, another server on the folder, a dying backend.
 * @throws PostgresStartError with the last lines of the log when it ends otherwise, or is not ready within 5 minutes.
 */
export async function launchPostmaster({
  folder,
  binaries,
  account,
  durability,
}: LaunchOptions): Promise<Postmaster | null> {
  const args = serverArguments({ cluster: folder.cluster, port: await freePort(), durability });
  const command = await asAccount(account, binaries.postgres, args, [folder.cluster]);
  const log = new ServerLog(folder.log);
  try {
    // A process group of its own: Ctrl-C in a terminal must not end the server before the program that uses it.
    const child = spawn(command.file, command.args, {
      ...command.options,
      detached: true,
      stdio: ["ignore", log.descriptor, log.descriptor],
    });
    child.unref();
    const ended = once(child, "exit");
    const ready = await Promise.race([untilReady(child, folder.cluster), ended.then(() => null)]);
    if (ready === "late") {
      child.kill("SIGQUIT");
      await ended;
      throw new PostgresStartError(
        `PostgreSQL was not ready within ${READY_WITHIN_MS / 1000} s. Its log, ${folder.log}, ends:\n${log.lastLines()}`,
      );
    }
    if (ready || mayPass(log.written())) return ready;
    throw new PostgresStartError(
      `PostgreSQL did not start on ${folder.cluster}. If the folder is damaged, put back a whole copy, or move it away to begin anew. Its log, ${folder.log}, ends:\n${log.lastLines()}`,
    );
  } finally {
    log.close();
  }
}

async function untilReady(child: ChildProcess, cluster: string): Promise<Postmaster | "late" | null> {
  const deadline = Date.now() + READY_WITHIN_MS;
  while (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
    const found = readPostmaster(cluster);
    if (found?.pid === child.pid && found?.status === "ready") return found;
    if (Date.now() > deadline) return "late";
    await sleep(10);
  }
  return null;
}

function mayPass(log: string): boolean {
  return /could not create any TCP\/IP sockets|lock file "postmaster.pid" already exists|pre-existing shared memory block/.test(
    log,
  );
}
