/** A failure that whoever runs this can mend: its message says what is wrong, where, and what to do, and no stack helps. */
export class PostgresStartError extends Error {
  override readonly name = "PostgresStartError";
}

const SENTENCES: Record<string, string> = {
  EACCES: "may not be read or written by this user",
  EPERM: "may not be changed by this user",
  EROFS: "is on a read-only file system",
  ENOTDIR: "is in something that is no folder",
  EEXIST: "is no folder",
  ENOSPC: "cannot be written: the disk is full",
  EDQUOT: "cannot be written: this user's share of the disk is full",
};

/** What the machine does not allow in a data folder, as one sentence; any other error as it is. */
export function asStartError(error: unknown, dataDir: string): unknown {
  if (!(error instanceof Error) || !("syscall" in error) || error instanceof PostgresStartError) return error;
  const { code = "", path, syscall = "" } = error as NodeJS.ErrnoException;
  if (path === undefined) return error;
  const sentence = syscall.startsWith("spawn")
    ? `${path} cannot be run (${code}), which starting PostgreSQL needs.`
    : `${path} ${SENTENCES[code] ?? "cannot be used"} (${code}). Set DATA_DIR to a folder that this user can write, or start as the user that owns ${dataDir}.`;
  return new PostgresStartError(sentence, { cause: error });
}
