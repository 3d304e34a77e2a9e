import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { expectedError, Interrupted, runChild } from "./child.mjs";
import { homeAdvice } from "./home-advice.mjs";
import { workspacePackages } from "./workspace-packages.mjs";

/** Whether node_modules is what the lockfile and every package.json ask for. */
export function areDependenciesInstalled(root) {
  const stamp = stampFile(root);
  return existsSync(stamp) && readFileSync(stamp, "utf8") === fingerprint(root);
}

/** Installs from the lockfile. The stamp comes last, so an interrupted install is taken up again. */
export async function installDependencies({ root, env }) {
  console.error("Installing dependencies ...");
  // Asked before: another pnpm may have laid out node_modules, and there is nobody to answer its question.
  const args = ["install", "--frozen-lockfile", "--config.confirmModulesPurge=false"];
  const before = fingerprint(root);
  const outcome = await runChild("pnpm", args, { cwd: root, env, stdio: ["ignore", 2, 2] });
  if (outcome.received) throw new Interrupted({ code: 1, signal: outcome.received });
  if (outcome.code !== 0) {
    const advice =
      homeAdvice(env) ??
      "If another pnpm has rewritten the lockfile: git checkout pnpm-lock.yaml. If a package.json was changed, update the lockfile: npx pnpm@12 install";
    throw expectedError(`pnpm install failed; its message is above. ${advice}`);
  }
  writeFileSync(stampFile(root), before);
}

function stampFile(root) {
  return join(root, "node_modules", ".usage-stats-install");
}

function fingerprint(root) {
  const hash = createHash("sha256").update(`${process.platform}-${process.arch}\n`);
  const manifests = workspacePackages(root).map((folder) => join(relative(root, folder), "package.json"));
  for (const file of ["pnpm-lock.yaml", "pnpm-workspace.yaml", "package.json", ...manifests.sort()]) {
    if (existsSync(join(root, file))) hash.update(`${file}\n`).update(readFileSync(join(root, file)));
  }
  return hash.digest("hex");
}
