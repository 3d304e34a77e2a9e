import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { expectedError, runChild } from "./child.mjs";
import { sumTestReports } from "./test-reports.mjs";
import { selectTests } from "./test-selection.mjs";

/**
 * Runs the tests that `args` name, every package's where they name no path, and closes with one line:
 * `N passed, N failed, N skipped`.
 */
export async function runTests({ root, env, cwd, args }) {
  const selection = selectTests({ root, cwd, args });
  const reports = mkdtempSync(join(tmpdir(), "usage-stats-reports-"));
  try {
    const reporting = { ...env, TEST_RUN_DIR: reports };
    const outcome =
      selection === null
        ? await runByTurbo({ root, env: reporting, args })
        : await runByVitest({ root, env: reporting, ...selection });
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

/** Runs tests of one package again at each change, until the user ends it. */
export async function watchTests({ root, env, cwd, args }) {
  const { runs = [], flags = [] } = selectTests({ root, cwd, args }) ?? {};
  const [run] = runs;
  if (run === undefined)
    throw expectedError("Name what to watch: npm run watch -- <test file, folder or package>");
  if (runs.length > 1)
    throw expectedError(
      `Watch one package at a time. These are ${runs.length}: ${runs.map(({ folder }) => relative(root, folder)).join(", ")}`,
    );
  return vitest(["watch", ...run.filters, ...flags], { folder: run.folder, env, isInteractive: true });
}

/** All packages, also after a failure; two at a time, because several start servers of their own. */
function runByTurbo({ root, env, args }) {
  const concurrency = args.some((argument) => argument.startsWith("--concurrency"))
    ? []
    : ["--concurrency=2"];
  const turbo = join(root, "node_modules", ".bin", "turbo");
  return runChild(turbo, ["run", "test", "--continue", ...concurrency, ...args], { cwd: root, env });
}

/** One package after the other, also after a failure. */
async function runByVitest({ root, env, runs, flags }) {
  let code = 0;
  for (const { folder, filters } of runs) {
    console.log(`\n== ${relative(root, folder)}`);
    const outcome = await vitest(["run", ...filters, ...flags], { folder, env });
    if (outcome.received) return outcome;
    code ||= outcome.code ?? 1;
  }
  return { code, received: null };
}

function vitest(args, { folder, env, isInteractive = false }) {
  return runChild(join(folder, "node_modules", ".bin", "vitest"), args, { cwd: folder, env, isInteractive });
}
