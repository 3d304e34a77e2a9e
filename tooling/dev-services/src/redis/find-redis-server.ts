import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** Where `redis-server` is on the PATH; null when it is not installed. */
export function findRedisServer(): string | null {
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    const file = join(folder, "redis-server");
    if (isExecutable(file)) return file;
  }
  return null;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
