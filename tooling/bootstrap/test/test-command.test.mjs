import { execFileSync } from "node:child_process";
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

const script = (root, path, lines) => {
  put(root, path, ["#!/bin/sh", ...lines].join("\n"));
  chmodSync(join(root, path), 0o755);
};

/** A checkout with a package whose vitest says how it was called, writes a report and does what `lines` say. */
function tested({ lines = [] } = {}) {
  const root = checkout();
  for (const name of ["core", "db"]) {
    const folder = `packages/${name}`;
    put(root, `${folder}/package.json`, JSON.stringify({ scripts: { test: "vitest run" } }));
    put(root, `${folder}/test/a.test.ts`, "");
    script(root, `${folder}/node_modules/.bin/vitest`, [
      `echo "${name}: $(basename "$PWD") $*"`,
      `[ -z "$TEST_RUN_DIR" ] || echo '${report(2, 0, 1)}' > "$TEST_RUN_DIR/${name}.json"`,
      ...lines,
    ]);
  }
  script(root, "node_modules/.bin/turbo", ["echo turbo $*"]);
  return root;
}

/** `npm test` with a turbo that writes these reports and ends with `code`. */
async function runTests(reports, code) {
  const root = checkout();
  const writes = reports.map((text, index) => `echo '${text}' > "$TEST_RUN_DIR/${index}.json"`);
  script(root, "node_modules/.bin/turbo", [...writes, `exit ${code}`]);
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

it("runs exactly the named tests by their package's vitest, and adds their reports up", async () => {
  const root = tested();
  const { code, stdout } = await bootstrap(root, [
    "test",
    "packages/core/test/a.test.ts",
    "packages/db",
    "-t",
    "late",
  ]).result;
  expect(code).toBe(0);
  expect(stdout).toContain(`core: core run ${root}/packages/core/test/a.test.ts -t late\n`);
  expect(stdout).toContain("db: db run -t late\n");
  expect(stdout).not.toContain("turbo");
  expect(stdout.trimEnd().split("\n").at(-1)).toBe("4 passed, 0 failed, 2 skipped");
});

it("runs the tests of the second package also when those of the first fail, and fails", async () => {
  const root = tested({ lines: ['[ "$(basename "$PWD")" != core ]'] });
  const { code, stdout } = await bootstrap(root, ["test", "packages"]).result;
  expect(stdout).toContain("db: db run\n");
  expect({ code, last: stdout.trimEnd().split("\n").at(-1) }).toEqual({
    code: 1,
    last: "4 passed, 1 failed, 2 skipped",
  });
});

it("gives arguments without a path to turbo", async () => {
  const { stdout } = await bootstrap(tested(), ["test", "--filter=@usage-stats/core"]).result;
  expect(stdout).toContain("turbo run test --continue --concurrency=2 --filter=@usage-stats/core\n");
});

it("says in a sentence that there is no such test", async () => {
  const { code, stdout, stderr } = await bootstrap(tested(), ["test", "packages/core/test/b.test.ts"]).result;
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr.trim().split("\n").at(-1)).toBe("There is no file or folder packages/core/test/b.test.ts.");
});

it("watches tests of one package, and asks for one where there are none or several", async () => {
  const root = tested();
  const watch = (...args) => bootstrap(root, ["watch", ...args]).result;
  expect(await watch("packages/core")).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/core watch$/m),
  });
  expect((await watch()).stderr).toContain(
    "Name what to watch: npm run watch -- <test file, folder or package>",
  );
  expect((await watch("packages")).stderr).toContain(
    "Watch one package at a time. These are 2: packages/core, packages/db",
  );
});

it("leaves a watched vitest in the terminal's process group, because no other may read keys", async () => {
  const groupOf = (pid) =>
    execFileSync("ps", ["-o", "pgid=", "-p", String(pid)], { encoding: "utf8" }).trim();
  const root = tested({ lines: ['echo "group: $(ps -o pgid= -p $$)"'] });
  const groupIn = async (command) =>
    /group: +(\d+)/.exec((await bootstrap(root, [command, "packages/core"]).result).stdout)?.[1];
  expect(await groupIn("watch")).toBe(groupOf(process.pid));
  expect(await groupIn("test")).not.toBe(groupOf(process.pid));
});

it.each([
  ["lint", "oxlint", "--type-aware --deny-warnings src"],
  ["types", "tsc", "-b src"],
  ["format", "oxfmt", "src"],
])("runs npm run %s as %s %s, and ends as it does", async (command, tool, args) => {
  const root = checkout();
  script(root, `node_modules/.bin/${tool}`, ['echo "$*"', "exit 5"]);
  const { code, stdout } = await bootstrap(root, [command, "src"]).result;
  expect({ code, stdout: stdout.trimEnd().split("\n").at(-1) }).toEqual({ code: 5, stdout: args });
});

it("runs every check also after one that failed, and says how each went", async () => {
  const root = tested();
  put(root, "turbo.json", JSON.stringify({ boundaries: { tags: {} } }));
  for (const tool of ["oxlint", "oxfmt", "knip"]) script(root, `node_modules/.bin/${tool}`, ["true"]);
  script(root, "node_modules/.bin/tsc", ["exit 2"]);
  const { code, stdout, stderr } = await bootstrap(root, ["check"]).result;
  expect(stdout.trimEnd().split("\n").slice(-6)).toEqual([
    "types: FAILED",
    "lint: ok",
    "format: ok",
    "unused: ok",
    "boundaries: FAILED",
    "audit: ok",
  ]);
  expect(stderr).toContain("packages/core/turbo.json names no tag.");
  expect(code).toBe(1);
});
