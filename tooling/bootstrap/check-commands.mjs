import { join } from "node:path";
import { auditDependencies } from "./audit.mjs";
import { boundaryGaps } from "./boundary-gaps.mjs";
import { runChild } from "./child.mjs";

/** The checks of `npm run check`, each a program and its arguments. Circles of imports are a rule of lint. */
const CHECKS = {
  types: ["tsc", "-b"],
  lint: ["oxlint", "--type-aware", "--deny-warnings"],
  format: ["oxfmt", "--check"],
  unused: ["knip"],
  boundaries: ["turbo", "boundaries"],
};

/** Runs one check alone, with what the user adds to it. */
export function runCheck(name, { root, env, args }) {
  const [tool, ...fixed] = CHECKS[name];
  return runTool(tool, [...fixed, ...args], { root, env });
}

/** Formats every file in place, or those that `args` name. */
export function formatFiles({ root, env, args }) {
  return runTool("oxfmt", args, { root, env });
}

/** Runs every static check, says how each went, and fails when one does. */
export async function runChecks({ root, env }) {
  const results = [];
  for (const name of Object.keys(CHECKS)) {
    console.log(`\n== ${name}: ${CHECKS[name].join(" ")}`);
    const outcome = await runCheck(name, { root, env, args: [] });
    if (outcome.received) return { code: 1, signal: outcome.received };
    const gaps = name === "boundaries" ? boundaryGaps(root) : [];
    for (const gap of gaps) console.error(gap);
    results.push({ name, isGood: outcome.code === 0 && gaps.length === 0 });
  }
  console.log("\n== audit: pnpm audit --prod");
  results.push({ name: "audit", isGood: auditDependencies({ root, env }) });
  console.log(`\n${results.map(({ name, isGood }) => `${name}: ${isGood ? "ok" : "FAILED"}`).join("\n")}`);
  return { code: results.every(({ isGood }) => isGood) ? 0 : 1, signal: null };
}

function runTool(tool, args, { root, env }) {
  return runChild(join(root, "node_modules", ".bin", tool), args, { cwd: root, env });
}
