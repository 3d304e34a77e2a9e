import { setTimeout as sleep } from "node:timers/promises";
import { awaitPostmaster } from "./await-postmaster.ts";
import { locateBinaries } from "./binaries.ts";
import { databaseUrl, ensureDatabase, isRelaxed } from "./connection.ts";
import { ensureCluster } from "./create-cluster.ts";
import { launchPostmaster } from "./launch-postmaster.ts";
import { openPostgresFolder } from "./postgres-folder.ts";
import { readPostmaster } from "./postmaster.ts";
import { chooseAccount } from "./server-account.ts";
import { type Durability } from "./server-arguments.ts";
import { disarmStalePidFile } from "./stale-pid-file.ts";
import { type StopMode, stopPostmaster } from "./stop-postmaster.ts";

export interface StartPostgresOptions {
  /** Made where missing. Holds the cluster, its password and its log. */
  dataDir: string;
  durability: Durability;
}

/** A local PostgreSQL that accepts connections on 127.0.0.1. It outlives this process unless stopped. */
export interface PostgresServer {
  /** Connection string of the superuser to the database `usage_stats`. */
  url: string;
  pid: number;
  /** True when the server was already running: left by a killed process, or in use by another one. */
  adopted: boolean;
  /** Ends the server and waits until it is gone. Calling it again waits for the same end. */
  stop(mode?: StopMode): Promise<void>;
}

const ATTEMPTS = 20;

/**
 * Starts the embedded PostgreSQL on `dataDir`, or adopts the one already running there.
 * @throws Error naming the cause: another major version, a lost password file, the last lines of the server's log.
 */
export async function startPostgres({ dataDir, durability }: StartPostgresOptions): Promise<PostgresServer> {
  const folder = await openPostgresFolder(dataDir);
  const binaries = locateBinaries();
  let lastError: unknown;
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const account = await chooseAccount(folder.cluster);
    const password = await ensureCluster({ folder, binaries, account, durability });
    const running = await awaitPostmaster(folder.cluster);
    if (!running) await disarmStalePidFile(folder.cluster);
    const server = running ?? (await launchPostmaster({ folder, binaries, account, durability }));
    if (!server) {
      await sleep(100);
      continue;
    }
    try {
      await ensureDatabase(server.port, password);
    } catch (error) {
      if (!running) {
        await stopPostmaster(server.pid, folder.cluster, "fast");
        throw error;
      }
      // Its owner may have stopped it under our hands: look again.
      if (readPostmaster(folder.cluster)?.status === "ready") throw error;
      lastError = error;
      await sleep(100);
      continue;
    }
    const url = databaseUrl(server.port, password);
    if (running && durability === "durable" && (await isRelaxed(url))) {
      throw new Error(
        `The PostgreSQL (pid ${server.pid}) already running on ${dataDir} does not sync to disk: stop it first`,
      );
    }
    return serverHandle({ url, pid: server.pid, adopted: running !== null, cluster: folder.cluster });
  }
  throw new Error(
    `PostgreSQL did not start on ${dataDir} in ${ATTEMPTS} attempts; its log is ${folder.log}`,
    { cause: lastError },
  );
}

function serverHandle(server: {
  url: string;
  pid: number;
  adopted: boolean;
  cluster: string;
}): PostgresServer {
  const { url, pid, adopted, cluster } = server;
  let ending: Promise<void> | undefined;
  return { url, pid, adopted, stop: (mode = "fast") => (ending ??= stopPostmaster(pid, cluster, mode)) };
}
