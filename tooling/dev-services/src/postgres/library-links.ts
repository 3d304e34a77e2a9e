import { existsSync, readFileSync, symlinkSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { isSystemError } from "../system-error.ts";

/**
 * Makes the library links npm cannot pack (`libpq.so.5 -> libpq.so.5.18`). The package's install script does the same;
 * without it, where install scripts are refused, `postgres` cannot load its libraries.
 */
export function makeLibraryLinks(packageRoot: string): void {
  const list = join(packageRoot, "native", "pg-symlinks.json");
  if (!existsSync(list)) return;
  for (const { source, target } of JSON.parse(readFileSync(list, "utf8")) as {
    source: string;
    target: string;
  }[]) {
    const link = join(packageRoot, target);
    if (dirname(source) !== dirname(target))
      throw new Error(`${list}: ${target} and ${source} are not in one folder`);
    try {
      if (!existsSync(link)) symlinkSync(basename(source), link);
    } catch (error) {
      if (!isSystemError(error, "EEXIST")) throw error;
    }
  }
}
