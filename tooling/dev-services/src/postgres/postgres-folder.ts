import { mkdir, realpath } from "node:fs/promises";
import { join } from "node:path";

/** Where everything of one local PostgreSQL lives. All paths are absolute and free of symbolic links. */
export interface PostgresFolder {
  dataDir: string;
  cluster: string;
  password: string;
  log: string;
}

/** Makes `dataDir` where it is missing and names the places in it. */
export async function openPostgresFolder(dataDir: string): Promise<PostgresFolder> {
  // 0755, so that the account the server runs as can pass through; the cluster itself is 0700.
  await mkdir(dataDir, { recursive: true, mode: 0o755 });
  // One spelling of the path for every process: a running server is recognised by it.
  const real = await realpath(dataDir);
  return {
    dataDir: real,
    cluster: join(real, "postgres"),
    password: join(real, "postgres-password"),
    log: join(real, "postgres.log"),
  };
}
