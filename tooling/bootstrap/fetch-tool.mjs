import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expectedError, Interrupted, runChild } from "./child.mjs";
import { homeAdvice } from "./home-advice.mjs";

// npm's own patience is minutes long when offline.
const PATIENCE = ["--fetch-retries=2", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=5000"];
const QUIET = ["--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"];

/** Whether the tool is there: a folder under its final name is complete. */
export function isFetched({ folder }) {
  return existsSync(folder);
}

/** Installs a tool into its own folder of .toolchain, checked by its hash and without running scripts. */
export async function fetchTool({ name, version, integrity, folder, hint }, env) {
  const closedHome = homeAdvice(env);
  if (closedHome !== null) throw expectedError(`${name} ${version} is to be fetched. ${closedHome}`);
  console.error(`Fetching ${name} ${version} into .toolchain (once) ...`);
  // A name of its own: the npm of a killed bootstrap may still be writing into an earlier one.
  const partial = `${folder}.partial-${process.pid}`;
  mkdirSync(partial, { recursive: true });
  writeManifest(partial, { name, version, integrity });
  if (integrity === undefined)
    console.error(
      `tooling/bootstrap/toolchain.json has no hash of ${name}: it is taken as the registry gives it. ${hint}`,
    );
  // `ci` takes exactly what the lockfile names, and refuses what has another hash.
  const command = integrity === undefined ? ["install", "--no-package-lock"] : ["ci"];
  const args = [...command, "--ignore-scripts", ...QUIET, ...PATIENCE, "--prefix", partial];
  const outcome = await runChild("npm", args, { cwd: partial, env, stdio: ["ignore", 2, 2] }).catch(
    (error) => {
      rmSync(partial, { recursive: true, force: true });
      throw expectedError(`npm could not be run (${error.message}). ${hint}`);
    },
  );
  if (outcome.code !== 0 || outcome.received) rmSync(partial, { recursive: true, force: true });
  if (outcome.received) throw new Interrupted({ code: 1, signal: outcome.received });
  if (outcome.code !== 0) {
    throw expectedError(
      `npm could not fetch ${name}@${version}; its message is above. Is the registry reachable? ${hint}`,
    );
  }
  renameSync(partial, folder);
  removeUnfinished(dirname(folder));
}

function writeManifest(folder, { name, version, integrity }) {
  const dependencies = { [name]: version };
  const lock = {
    lockfileVersion: 3,
    requires: true,
    packages: { "": { dependencies }, [`node_modules/${name}`]: { version, integrity } },
  };
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, dependencies }));
  if (integrity !== undefined) writeFileSync(join(folder, "package-lock.json"), JSON.stringify(lock));
}

function removeUnfinished(toolchain) {
  for (const entry of readdirSync(toolchain).filter((name) => name.includes(".partial-"))) {
    try {
      rmSync(join(toolchain, entry), { recursive: true, force: true });
    } catch (error) {
      // Still being written to; a later install removes it.
      if (error.code !== "ENOTEMPTY") throw error;
    }
  }
}
