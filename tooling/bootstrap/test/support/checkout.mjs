import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { text } from "node:stream/consumers";
import { onTestFinished } from "vitest";

const source = join(import.meta.dirname, "..", "..");

/** A checkout with the real bootstrap, a server made of `main`, and a `pnpm` made of a shell script. */
export function checkout({
  main = "",
  pnpm = "mkdir -p node_modules",
  pnpmVersion = "12.0.0",
  packageJson = {},
} = {}) {
  const root = mkdtempSync(join(tmpdir(), "usage-stats-checkout-"));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  for (const name of readdirSync(source).filter((entry) => /^toolchain\.json$|\.mjs$/.test(entry))) {
    cpSync(join(source, name), join(root, "tooling/bootstrap", name));
  }
  put(
    root,
    "package.json",
    JSON.stringify({ type: "module", packageManager: "pnpm@12.21.0", ...packageJson }),
  );
  put(root, "pnpm-lock.yaml", "first");
  put(root, "apps/server/src/main.ts", main);
  put(
    root,
    "bin/pnpm",
    `#!/bin/sh\n[ "$1" = --version ] && echo ${pnpmVersion} && exit\necho "pnpm $*" | tee -a ${root}/pnpm-calls\n${pnpm}\n`,
  );
  chmodSync(join(root, "bin/pnpm"), 0o755);
  return root;
}

export function put(root, path, content) {
  mkdirSync(join(root, path, ".."), { recursive: true });
  writeFileSync(join(root, path), content);
}

/** Runs a bootstrap command of `root`; `result` resolves to its stdout, stderr, code and signal. */
export function bootstrap(root, args, { env = {}, cwd = root, account = {} } = {}) {
  const child = spawn(process.execPath, [join(root, "tooling/bootstrap/run.mjs"), ...args], {
    cwd,
    ...account,
    env: {
      ...process.env,
      INIT_CWD: cwd,
      npm_lifecycle_event: undefined,
      // What it reports is not to be counted by whoever runs this test.
      TEST_RUN_DIR: undefined,
      PATH: join(root, "bin") + delimiter + process.env.PATH,
      ...env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = Promise.all([once(child, "close"), text(child.stdout), text(child.stderr)]);
  const result = ended.then(([[code, signal], stdout, stderr]) => ({ code, signal, stdout, stderr }));
  return { child, result };
}
