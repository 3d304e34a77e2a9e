import { existsSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { workspacePackages } from "./workspace-packages.mjs";

/**
 * Looks for packages that `turbo boundaries` would let import anything: without a tag, or with one that has no rule.
 * @returns {string[]} a sentence for each.
 */
export function boundaryGaps(root) {
  const rules = readJson(join(root, "turbo.json")).boundaries?.tags ?? {};
  return workspacePackages(root).flatMap((folder) => {
    const name = relative(root, folder);
    const file = join(folder, "turbo.json");
    const tags = existsSync(file) ? (readJson(file).tags ?? []) : [];
    if (tags.length === 0) return [`${name}/turbo.json names no tag.`];
    return tags
      .filter((tag) => rules[tag] === undefined)
      .map((tag) => `The tag "${tag}" of ${name} has no rule in turbo.json.`);
  });
}

function readJson(file) {
  return JSON.parse(readFileSync(file, "utf8"));
}
