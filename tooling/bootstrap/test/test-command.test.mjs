import { chmodSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { bootstrap, checkout, put } from "./support/checkout.mjs";

const report = (passed, failed, pending, files = []) =>
  JSON.stringify({
    numPassedTests: passed,
    numFailedTests: failed,
    numPendingTests: pending,
    numTodoTests: 0,
    testResults: files,
  });

/** `npm test` with a turbo that writes these reports and ends with `code`. */
async function runTests(reports, code) {
  const root = checkout();
  const writes = reports.map((text, index) => `echo '${text}' > "$TEST_RUN_DIR/${index}.json"`);
  put(root, "node_modules/.bin/turbo", ["#!/bin/sh", ...writes, `exit ${code}`].join("\n"));
  chmodSync(join(root, "node_modules/.bin/turbo"), 0o755);
  const result = await bootstrap(root, ["test"]).result;
  return { code: result.code, last: result.stdout.trimEnd().split("\n").at(-1), stderr: result.stderr };
}

it("closes with the sum of every package's report", async () => {
  expect(await runTests([report(3, 0, 1), report(4, 0, 0)], 0)).toMatchObject({
    code: 0,
    last: "7 passed, 0 failed, 1 skipped",
  });
});

it("fails when a test fails", async () => {
  expect(await runTests([report(3, 2, 0)], 1)).toMatchObject({
    code: 1,
    last: "3 passed, 2 failed, 0 skipped",
  });
});

it("counts a file that breaks before its first test as a failed test", async () => {
  const broken = [{ status: "failed", assertionResults: [] }];
  expect(await runTests([report(3, 0, 0, broken)], 1)).toMatchObject({
    code: 1,
    last: "3 passed, 1 failed, 0 skipped",
  });
});

it("counts a package that ended without a report as a failed test", async () => {
  expect(await runTests([report(3, 0, 0)], 1)).toMatchObject({
    code: 1,
    last: "3 passed, 1 failed, 0 skipped",
  });
});

it("fails when no test ran", async () => {
  expect(await runTests([], 0)).toMatchObject({
    code: 1,
    last: "0 passed, 0 failed, 0 skipped",
    stderr: expect.stringContaining("No test ran"),
  });
});
