import { expectedError } from "./child.mjs";

const SENTENCES = {
  EACCES: "may not be read or written by this user",
  EPERM: "may not be changed by this user",
  EROFS: "is on a read-only file system",
  ENOSPC: "cannot be written: the disk is full",
  EDQUOT: "cannot be written: this user's share of the disk is full",
};

/** A failure of the machine, not of this program, as one sentence; any other error as it is. */
export function asExpected(
  error,
  { path = error?.path, advice = "Run this as the user that owns it." } = {},
) {
  const what = SENTENCES[error?.code];
  if (what === undefined || path === undefined) return error;
  return expectedError(`${path} ${what} (${error.code}). ${advice}`);
}
