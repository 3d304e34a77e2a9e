import { accessSync, constants, existsSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";

/** What to do where npm and pnpm cannot keep what they fetch; null where they can. */
export function homeAdvice(env) {
  const home = env.HOME ?? homedir();
  const cache = env.npm_config_cache ?? join(home, ".npm");
  const closed = [cache, home].find((folder) => !isWritable(folder));
  if (closed === undefined) return null;
  return `${closed} cannot be written, where npm and pnpm keep what they fetch: set HOME to a folder that this user can write.`;
}

/** Whether a folder can be written, or made where it is missing. */
function isWritable(folder) {
  let nearest = folder;
  while (!existsSync(nearest) && nearest !== dirname(nearest)) nearest = dirname(nearest);
  try {
    accessSync(nearest, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
