import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { auditDependencies } from "./audit.mjs";
import { runChild } from "./child.mjs";
import { sumTestReports } from "./test-reports.mjs";

/** Runs every package's tests and closes with one line: `N passed, N failed, N skipped`. */
export async function runTests({ root, env, args }) {
  const reports = mkdtempSync(join(tmpdir(), "usage-stats-reports-"));
  try {
    // All packages, also after a failure; two at a time, because several start servers of their own.
    const turbo = [
      "run",
      "test",
      "--continue",
      ...(hasConcurrency(args) ? [] : ["--concurrency=2"]),
      ...args,
    ];
    const outcome = await runTool("turbo", turbo, { root, env: { ...env, TEST_RUN_DIR: reports } });
    const sum = sumTestReports(reports);
    if (outcome.code !== 0 && sum.failed === 0) {
      console.error("A package's test run failed without naming a failed test: it is counted as one.");
      sum.failed = 1;
    }
    const isGood = sum.failed === 0 && sum.passed > 0;
    if (sum.passed + sum.failed === 0) console.error("No test ran.");
    console.log(`\n${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped`);
    return outcome.received
      ? { code: 1, signal: outcome.received }
      : { code: isGood ? 0 : outcome.code || 1, signal: null };
  } finally {
    rmSync(reports, { recursive: true, force: true });
  }
}

/** Runs every static check, says how each went, and fails when one does. */
export async function runChecks({ root, env }) {
  const checks = [
    ["types", "tsc", ["-p", "tsconfig.json"]],
    ["lint", "oxlint", ["--type-aware", "--deny-warnings"]],
    ["format", "oxfmt", ["--check"]],
    ["boundaries", "turbo", ["boundaries"]],
  ];
  const results = [];
  for (const [name, tool, args] of checks) {
    console.log(`\n== ${name}: ${tool} ${args.join(" ")}`);
    const outcome = await runTool(tool, args, { root, env });
    if (outcome.received) return { code: 1, signal: outcome.received };
    results.push({ name, isGood: outcome.code === 0 });
  }
  console.log("\n== audit: pnpm audit --prod");
  results.push({ name: "audit", isGood: auditDependencies({ root, env }) });
  console.log(`\n${results.map(({ name, isGood }) => `${name}: ${isGood ? "ok" : "FAILED"}`).join("\n")}`);
  return { code: results.every(({ isGood }) => isGood) ? 0 : 1, signal: null };
}

function runTool(tool, args, { root, env }) {
  return runChild(join(root, "node_modules", ".bin", tool), args, { cwd: root, env });
}

function hasConcurrency(args) {
  return args.some((argument) => argument.startsWith("--concurrency"));
}
