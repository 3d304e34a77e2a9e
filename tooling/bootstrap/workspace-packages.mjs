import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** The folders of the workspace's packages, as pnpm-workspace.yaml names them. Those without a package.json are none. */
export function workspacePackages(root) {
  return ["apps", "packages", "tooling"]
    .map((group) => join(root, group))
    .filter((group) => existsSync(group))
    .flatMap((group) => readdirSync(group).map((name) => join(group, name)))
    .filter((folder) => existsSync(join(folder, "package.json")));
}
