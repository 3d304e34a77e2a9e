// The commands of the root package.json. Plain JavaScript without dependencies, for Node 18 and newer: it brings the rest itself.
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { endLike, expectedError, Interrupted, runChild } from "./child.mjs";
import { runChecks, runTests } from "./quality-commands.mjs";
import { prepare } from "./prepare.mjs";
import { asExpected } from "./system-error.mjs";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const [command = "", ...args] = process.argv.slice(2);

const commands = {
  start: () => runServer(["serve", ...args]),
  "usage-stats": () => runServer(args),
  "mikro-orm": () => runServer(["mikro-orm", ...args]),
  test: async () => runTests({ root, env: await prepare(root, { pnpm: true }), args }),
  bench: () => runProgram("tooling/bench/src/main.ts", args),
  check: async () => runChecks({ root, env: await prepare(root, { pnpm: true }) }),
};

function runServer(serverArgs) {
  return runProgram("apps/server/src/main.ts", serverArgs);
}

/** Runs a program directly, not through pnpm: signals and exit codes have one hop less to get lost on. */
async function runProgram(program, programArgs) {
  const env = await prepare(root, { pnpm: false });
  const asked = process.env.INIT_CWD;
  return runChild("node", ["--disable-warning=ExperimentalWarning", join(root, program), ...programArgs], {
    // npm and pnpm move to the root; paths on the command line are relative to where the user stood.
    cwd: asked && existsSync(asked) ? asked : process.cwd(),
    env,
  });
}

try {
  const run = commands[command];
  if (!run)
    throw expectedError(`unknown command "${command}"; there are: ${Object.keys(commands).join(", ")}`);
  endLike(await run());
} catch (error) {
  if (error instanceof Interrupted) endLike(error.outcome);
  else {
    const told = asExpected(error);
    console.error(`\n${told.expected ? told.message : told.stack}`);
    process.exitCode = 1;
  }
}
