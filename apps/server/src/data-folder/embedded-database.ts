// `import type`, for an import of `{ type … }` is still one when Node runs it.
import type { PostgresServer } from "@usage-stats/dev-services/postgres";
import { OperatorError } from "../operator-error.ts";
import { type DataFolderLock, lockDataFolder } from "./data-folder-lock.ts";

export type EmbeddedDatabase = { url: string; lost: Promise<never>; close(): Promise<void> };

const ATTEMPTS = 5;

/**
 * Joins the embedded PostgreSQL of a data folder, starting it where it does not run; the last process to close stops it.
 * A database left over by a process that was killed is simply joined. Throws `OperatorError` for a second server, and where the
 * folder or what is in it cannot be used.
 */
export async function joinEmbeddedDatabase(
  dataDir: string,
  as: "server" | "command",
): Promise<EmbeddedDatabase> {
  for (let attempt = 1; ; attempt += 1) {
    const postgres = await start(dataDir);
    try {
      const lock = await lockDataFolder(postgres.url, as);
      return { url: postgres.url, lost: lock.lost, close: () => leave(lock, postgres.stop) };
    } catch (error) {
      // Its last user may be stopping it at this very moment: then it is started anew.
      if (error instanceof OperatorError || attempt === ATTEMPTS) throw error;
    }
  }
}

async function start(dataDir: string): Promise<PostgresServer> {
  // Only here, so that a server with a database of its own does not load it.
  const { PostgresStartError, startPostgres } = await import("@usage-stats/dev-services/postgres");
  try {
    return await startPostgres({ dataDir, durability: "durable" });
  } catch (error) {
    if (!(error instanceof PostgresStartError)) throw error;
    throw new OperatorError(error.message, { cause: error });
  }
}

async function leave(lock: DataFolderLock, stop: () => Promise<void>): Promise<void> {
  const { lastUser, disconnect } = await lock.release();
  if (lastUser) await stop();
  await disconnect().catch(() => {
    // Stopping the database has closed the connection already.
  });
}
