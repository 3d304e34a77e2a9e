import { spawn } from "node:child_process";
import { once } from "node:events";
import { chown, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { type PostgresBinaries } from "./binaries.ts";
import { ensurePassword, readPassword } from "./password.ts";
import { type PostgresFolder } from "./postgres-folder.ts";
import { isProcessAlive } from "../process-alive.ts";
import { asAccount, type ServerAccount } from "./server-account.ts";
import { type Durability } from "./server-arguments.ts";
import { isSystemError } from "../system-error.ts";
import { PostgresStartError } from "./postgres-start-error.ts";

interface ClusterOptions {
  folder: PostgresFolder;
  binaries: PostgresBinaries;
  account: ServerAccount;
  durability: Durability;
}

/**
 * Makes the cluster where there is none and answers its password. It is built beside its place and renamed into it, so a
 * cluster that is there is complete, whenever the building was killed.
 * @throws PostgresStartError when the cluster is of another major version, or `initdb` fails.
 */
export async function ensureCluster(options: ClusterOptions): Promise<string> {
  const { folder, binaries } = options;
  const major = await clusterMajor(folder.cluster);
  if (major !== null) {
    if (major === binaries.major) return readPassword(folder);
    throw new PostgresStartError(
      `${folder.cluster} was made by PostgreSQL ${major}, and this program brings PostgreSQL ${binaries.major}. ` +
        `Use a program with PostgreSQL ${major}, or move the folder away to begin anew.`,
    );
  }
  await removeUnfinished(folder.dataDir);
  const password = await ensurePassword(folder);
  await createCluster(options, password);
  return password;
}

async function clusterMajor(cluster: string): Promise<number | null> {
  try {
    const major = Number.parseInt(await readFile(join(cluster, "PG_VERSION"), "utf8"), 10);
    return Number.isNaN(major) ? null : major;
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return null;
    throw error;
  }
}

function partOfCluster(cluster: string, cause: unknown): PostgresStartError {
  return new PostgresStartError(
    `${cluster} is only a part of a PostgreSQL cluster: its PG_VERSION is missing. Put back a whole copy, or move the folder away to begin anew.`,
    { cause },
  );
}

async function createCluster(
  { folder, binaries, account, durability }: ClusterOptions,
  password: string,
): Promise<void> {
  const staging = await mkdtemp(join(folder.dataDir, `postgres.new-${process.pid}-`));
  const [cluster, passwordFile] = [join(staging, "cluster"), join(staging, "password")];
  try {
    await writeFile(passwordFile, password, { mode: 0o600 });
    if (account) for (const path of [passwordFile, staging]) await chown(path, account.uid, account.gid);
    const args = [
      "-D",
      cluster,
      "-U",
      "postgres",
      "-A",
      "scram-sha-256",
      `--pwfile=${passwordFile}`,
      "-E",
      "UTF8",
    ];
    args.push("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8");
    if (durability === "relaxed") args.push("--no-sync");
    await runInitdb(await asAccount(account, binaries.initdb, args, [staging]));
    await rename(cluster, folder.cluster);
  } catch (error) {
    // Another first start was quicker, whose cluster has the same password; or it is no cluster that lies there.
    if (!isSystemError(error, "ENOTEMPTY", "EEXIST")) throw error;
    if ((await clusterMajor(folder.cluster)) === null) throw partOfCluster(folder.cluster, error);
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

async function runInitdb(command: Awaited<ReturnType<typeof asAccount>>): Promise<void> {
  const child = spawn(command.file, command.args, { ...command.options, stdio: ["ignore", "pipe", "pipe"] });
  const [[code, signal], out, errors] = await Promise.all([
    once(child, "close"),
    text(child.stdout),
    text(child.stderr),
  ]);
  if (code !== 0)
    throw new PostgresStartError(
      `initdb failed (${String(signal ?? code)}):\n${(out + errors).trim().split("\n").slice(-20).join("\n")}`,
    );
}

/** Removes what killed starts left half built; a folder whose maker still lives is left alone. */
async function removeUnfinished(dataDir: string): Promise<void> {
  for (const entry of await readdir(dataDir)) {
    const maker = Number(/^postgres\.new-(\d+)-/.exec(entry)?.[1] ?? Number.NaN);
    if (Number.isNaN(maker) || isProcessAlive(maker)) continue;
    await rm(join(dataDir, entry), { recursive: true, force: true, maxRetries: 10 });
  }
}
