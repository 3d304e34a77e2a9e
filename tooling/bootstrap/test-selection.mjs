import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { expectedError } from "./child.mjs";
import { workspacePackages } from "./workspace-packages.mjs";

// What follows these is always their value, also where a file of that name exists.
const TAKE_A_VALUE = ["-t", "--testNamePattern"];

/**
 * Splits the arguments of `npm test` into paths of tests and flags of vitest, and groups the paths by their package.
 * @returns {{ runs: { folder: string, filters: string[] }[], flags: string[] } | null} null where no path is named: the arguments are
 * turbo's, and mean whole packages. A run without filters is its whole package.
 */
export function selectTests({ root, cwd, args }) {
  const flags = [];
  const paths = [];
  for (const [index, argument] of args.entries()) {
    const previous = args[index - 1] ?? "";
    const found = argument.startsWith("-") ? null : locate(argument, [cwd, root]);
    if (found !== null && !TAKE_A_VALUE.includes(previous)) paths.push(found);
    else if (argument.startsWith("-") || isFlagAlone(previous)) flags.push(argument);
    else throw expectedError(`There is no file or folder ${argument}.`);
  }
  if (paths.length === 0) return null;
  const runs = new Map();
  for (const { path, line } of paths) {
    for (const folder of packagesOf(root, path)) {
      const filters = runs.get(folder) ?? [];
      runs.set(folder, [...filters, filterOf(folder, path, line)]);
    }
  }
  return {
    runs: [...runs].map(([folder, filters]) => ({ folder, filters: filters.includes(null) ? [] : filters })),
    flags,
  };
}

/** The first of `bases` in which the path exists, which may end in `:line` as vitest's may. */
function locate(argument, bases) {
  const line = /:\d+$/.exec(argument)?.[0] ?? "";
  for (const name of [argument, argument.slice(0, argument.length - line.length)]) {
    const path = bases.map((base) => resolve(base, name)).find((candidate) => existsSync(candidate));
    if (path !== undefined) return { path, line: name === argument ? "" : line };
  }
  return null;
}

function isFlagAlone(argument) {
  return argument.startsWith("-") && !argument.includes("=");
}

/** The packages with tests that a path is in, or that are in it. */
function packagesOf(root, path) {
  for (let folder = path; folder !== root && folder !== dirname(folder); folder = dirname(folder)) {
    if (hasTests(folder)) return [folder];
  }
  const inside = workspacePackages(root).filter(
    (folder) => hasTests(folder) && folder.startsWith(withSlash(path)),
  );
  if (inside.length === 0) throw expectedError(`${relative(root, path)} is in no package that has tests.`);
  return inside;
}

function hasTests(folder) {
  const manifest = join(folder, "package.json");
  return existsSync(manifest) && JSON.parse(readFileSync(manifest, "utf8")).scripts?.test !== undefined;
}

/** What vitest looks for in the full path of each test file; null for all of them. */
function filterOf(folder, path, line) {
  if (withSlash(folder).startsWith(withSlash(path))) return null;
  return statSync(path).isDirectory() ? withSlash(path) : path + line;
}

function withSlash(path) {
  return path.endsWith(sep) ? path : path + sep;
}
