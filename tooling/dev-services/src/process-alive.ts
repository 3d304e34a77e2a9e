import { isSystemError } from "./system-error.ts";

/** Whether any process has this number, ours or another user's. */
export function isProcessAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    if (isSystemError(error, "EPERM")) return true;
    if (isSystemError(error, "ESRCH")) return false;
    throw error;
  }
}
