import { chown, lstat, readdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isSystemError } from "../system-error.ts";
import { PostgresStartError } from "./postgres-start-error.ts";

/** The user and group the server runs as. Null: as ourselves. */
export type ServerAccount = { uid: number; gid: number } | null;

const NOBODY = { uid: 65_534, gid: 65_534 };

/** PostgreSQL refuses to run as root, so root lends it the cluster's owner, or nobody for a new cluster. */
export async function chooseAccount(cluster: string): Promise<ServerAccount> {
  if (process.getuid?.() !== 0) return null;
  try {
    const { uid, gid } = await stat(cluster);
    if (uid !== 0) return { uid, gid };
    await giveTree(cluster, NOBODY); // A copy made by root.
  } catch (error) {
    if (!isSystemError(error, "ENOENT")) throw error;
  }
  return NOBODY;
}

/**
 * How to start `binary` as that account, for `child_process.spawn`.
 * @param reach folders the program has to get to.
 */
export async function asAccount(account: ServerAccount, binary: string, args: string[], reach: string[]) {
  // Nobody may be unable to read our own working directory.
  const common = { cwd: "/", env: { PATH: process.env["PATH"], LC_ALL: "C", TZ: "UTC" } };
  if (!account) return { file: binary, args, options: common };
  if (await canReach(account, [binary, ...reach]))
    return { file: binary, args, options: { ...common, ...account } };
  if (process.platform !== "linux") {
    throw new PostgresStartError(
      `PostgreSQL does not run as root, and user ${account.uid} cannot reach ${binary}: start as another user`,
    );
  }
  return { file: "setpriv", args: [...passingClosedFolders(account), binary, ...args], options: common };
}

/**
 * A checkout inside a home of mode 0700 is closed to nobody. setpriv keeps the one capability that passes such folders; and
 * no_setuid_fixup, because initdb asks access(2), which otherwise drops it. Preferred to `unshare --user`: that is forbidden in
 * Docker, and its cluster belongs to root, so it could not run once the folder is opened up.
 */
function passingClosedFolders({ uid, gid }: { uid: number; gid: number }): string[] {
  const capability = [
    "--inh-caps=+dac_override",
    "--ambient-caps=+dac_override",
    "--securebits=+no_setuid_fixup",
  ];
  return [`--reuid=${uid}`, `--regid=${gid}`, "--clear-groups", ...capability];
}

async function canReach(account: { uid: number }, paths: string[]): Promise<boolean> {
  for (const path of paths) {
    if (((await stat(path)).mode & 0o005) !== 0o005 && (await stat(path)).uid !== account.uid) return false;
    for (let folder = dirname(path); ; folder = dirname(folder)) {
      const { mode, uid } = await stat(folder);
      if (!(mode & (uid === account.uid ? 0o100 : 0o001))) return false;
      if (folder === dirname(folder)) break;
    }
  }
  return true;
}

async function giveTree(root: string, { uid, gid }: { uid: number; gid: number }): Promise<void> {
  for (const entry of await readdir(root, { recursive: true })) {
    const path = join(root, entry);
    if (!(await lstat(path)).isSymbolicLink()) await chown(path, uid, gid);
  }
  await chown(root, uid, gid);
}
