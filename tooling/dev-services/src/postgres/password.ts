import { randomBytes } from "node:crypto";
import { link, readFile, rm, writeFile } from "node:fs/promises";
import { type PostgresFolder } from "./postgres-folder.ts";
import { isSystemError } from "../system-error.ts";
import { PostgresStartError } from "./postgres-start-error.ts";

/** The superuser's password of this folder, made on first use and kept in a file only its owner reads. */
export async function ensurePassword(folder: PostgresFolder): Promise<string> {
  const draft = `${folder.password}.${process.pid}-${randomBytes(4).toString("hex")}`;
  await writeFile(draft, `${randomBytes(24).toString("base64url")}\n`, { mode: 0o600, flush: true });
  try {
    // A link appears whole or not at all, and never over an existing file: of two first starts one wins, both use its password.
    await link(draft, folder.password);
  } catch (error) {
    if (!isSystemError(error, "EEXIST")) throw error;
  } finally {
    await rm(draft);
  }
  return readPassword(folder);
}

/** @throws PostgresStartError when the file is missing: a cluster cannot be entered without it. */
export async function readPassword(folder: PostgresFolder): Promise<string> {
  try {
    return (await readFile(folder.password, "utf8")).trim();
  } catch (error) {
    if (!isSystemError(error, "ENOENT")) throw error;
    throw new PostgresStartError(
      `${folder.cluster} exists but its password file ${folder.password} is gone. Put it back, or move ${folder.cluster} away to begin anew.`,
      { cause: error },
    );
  }
}
