import { createClient } from "@usage-stats/db";
import { type Client } from "pg";
import { OperatorError } from "../operator-error.ts";

// Any two constants, as long as every process that uses a data folder has the same.
const IN_USE = 0x7573_0001;
const SERVING = 0x7573_0002;

/**
 * Who uses the embedded database, kept as advisory locks in it, which a process that is killed cannot leave behind:
 * everyone holds IN_USE shared, and the one server holds SERVING.
 */
export type DataFolderLock = {
  /** Rejects if the connection that holds the lock is lost: the database is gone. */
  lost: Promise<never>;
  /** Lets go, and says whether nobody else uses the database, in which case nobody can begin to until it is stopped. */
  release(): Promise<{ lastUser: boolean; disconnect(): Promise<void> }>;
};

/** Takes the locks. Throws `OperatorError` for a second server. */
export async function lockDataFolder(url: string, as: "server" | "command"): Promise<DataFolderLock> {
  const client = createClient({ url, applicationName: `usage-stats ${as}, process ${process.pid}` });
  const { promise: lost, reject } = Promise.withResolvers<never>();
  lost.catch(() => {});
  let gone = false;
  client.on("error", () => {
    gone = true;
    reject(
      new OperatorError(
        "The embedded database has stopped (its log is postgres.log in the data folder). Start again: it recovers.",
      ),
    );
  });
  await client.connect();
  await client.query("select pg_advisory_lock_shared($1)", [IN_USE]);
  if (as === "server" && !(await tryLock(client, SERVING))) {
    const holder = await holderOf(client);
    await client.end();
    throw new OperatorError(
      `Another usage-stats server is using this data folder (${holder}). Stop it, or set DATA_DIR to another folder.`,
    );
  }
  return {
    lost,
    async release() {
      if (gone) return { lastUser: false, disconnect: async () => {} };
      await client.query("select pg_advisory_unlock_shared($1)", [IN_USE]);
      return { lastUser: await tryLock(client, IN_USE), disconnect: () => client.end() };
    },
  };
}

async function tryLock(client: Client, key: number): Promise<boolean> {
  const { rows } = await client.query<{ locked: boolean }>("select pg_try_advisory_lock($1) as locked", [
    key,
  ]);
  return rows[0]!.locked;
}

async function holderOf(client: Client): Promise<string> {
  const { rows } = await client.query<{ name: string }>(
    `select application_name as name from pg_locks join pg_stat_activity using (pid)
      where locktype = 'advisory' and classid = 0 and objid = $1 and granted`,
    [SERVING],
  );
  return rows[0]?.name ?? "it has just stopped: try again";
}
