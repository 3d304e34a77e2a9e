import { setTimeout as sleep } from "node:timers/promises";
import { awaitPostmaster } from "./await-postmaster.ts";
import { locateBinaries } from "./binaries.ts";
import { databaseUrl, ensureDatabase, isRelaxed, isWrongPassword } from "./connection.ts";
import { ensureCluster } from "./create-cluster.ts";
import { launchPostmaster } from "./launch-postmaster.ts";
import { openPostgresFolder, type PostgresFolder } from "./postgres-folder.ts";
import { readPostmaster } from "./postmaster.ts";
import { chooseAccount } from "./server-account.ts";
import { type Durability } from "./server-arguments.ts";
import { disarmStalePidFile } from "./stale-pid-file.ts";
import { type StopMode, stopPostmaster } from "./stop-postmaster.ts";
import { asStartError, PostgresStartError } from "./postgres-start-error.ts";

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
 * @throws PostgresStartError naming the cause: another major version, a lost password file, the last lines of the server's log.
 */
export async function startPostgres(options: StartPostgresOptions): Promise<PostgresServer> {
  try {
    return await start(options);
  } catch (error) {
    throw asStartError(error, options.dataDir);
  }
}

async function start({ dataDir, durability }: StartPostgresOptions): Promise<PostgresServer> {
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
      const refusal = isWrongPassword(error) ? wrongPassword(folder, error) : error;
      if (!running) {
        await stopPostmaster(server.pid, folder.cluster, "fast");
        throw refusal;
      }
      // Its owner may have stopped it under our hands: look again.
      if (readPostmaster(folder.cluster)?.status === "ready") throw refusal;
      lastError = error;
      await sleep(100);
      continue;
    }
    const url = databaseUrl(server.port, password);
    if (running && durability === "durable" && (await isRelaxed(url))) {
      throw new PostgresStartError(
        `The PostgreSQL (pid ${server.pid}) already running on ${dataDir} does not sync to disk: stop it first`,
      );
    }
    return serverHandle({ url, pid: server.pid, adopted: running !== null, cluster: folder.cluster });
  }
  throw new PostgresStartError(
    `PostgreSQL did not start on ${dataDir} in ${ATTEMPTS} attempts; its log is ${folder.log}`,
    { cause: lastError },
  );
}

function wrongPassword({ cluster, password }: PostgresFolder, cause: unknown): PostgresStartError {
  return new PostgresStartError(
    `The password in ${password} is not that of ${cluster} (password authentication failed). Put back the file that belongs to it, or move ${cluster} away to begin anew.`,
    { cause },
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
