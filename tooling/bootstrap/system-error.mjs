import { expectedError } from "./child.mjs";

const SENTENCES = {
  EACCES: "may not be read or written by this user",
  EPERM: "may not be changed by this user",
  EROFS: "is on a read-only file system",
  ENOSPC: "cannot be written: the disk is full",
  EDQUOT: "cannot be written: this user's share of the disk is full",
};

/** A failure of the machine, not of this program, as one sentence; any other error as it is. */
export function asExpected(error, advice = "Run this as the user that owns the folder.") {
  const what = SENTENCES[error?.code];
  if (what === undefined || error.path === undefined) return error;
  return expectedError(`${error.path} ${what} (${error.code}). ${advice}`);
}
