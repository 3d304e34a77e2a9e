import { existsSync } from "node:fs";
import { awaitPostmaster } from "./await-postmaster.ts";
import { databaseUrl } from "./connection.ts";
import { readPassword } from "./password.ts";
import { openPostgresFolder } from "./postgres-folder.ts";

/** A server another process started. */
export interface RunningPostgres {
  url: string;
  pid: number;
}

/** The server running on `dataDir`, for a process that wants to use it and leave it running; null when there is none. */
export async function findRunningPostgres(dataDir: string): Promise<RunningPostgres | null> {
  if (!existsSync(dataDir)) return null;
  const folder = await openPostgresFolder(dataDir);
  const found = await awaitPostmaster(folder.cluster);
  return found && { url: databaseUrl(found.port, await readPassword(folder)), pid: found.pid };
}
