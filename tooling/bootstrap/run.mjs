// The commands of the root package.json. Plain JavaScript without dependencies, for Node 18 and newer: it brings the rest itself.
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { formatFiles, runCheck, runChecks } from "./check-commands.mjs";
import { endLike, expectedError, Interrupted, runChild } from "./child.mjs";
import { prepare } from "./prepare.mjs";
import { asExpected } from "./system-error.mjs";
import { runTests, watchTests } from "./test-commands.mjs";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const [command = "", ...args] = process.argv.slice(2);

const commands = {
  start: () => runServer(["serve", ...args]),
  "usage-stats": () => runServer(args),
  "mikro-orm": () => runServer(["mikro-orm", ...args]),
  bench: () => runProgram("tooling/bench/src/main.ts", args),
  test: () => withToolchain(runTests),
  watch: () => withToolchain(watchTests),
  lint: () => withToolchain((tools) => runCheck("lint", tools)),
  types: () => withToolchain((tools) => runCheck("types", tools)),
  format: () => withToolchain(formatFiles),
  check: () => withToolchain(runChecks),
};

function runServer(serverArgs) {
  return runProgram("apps/server/src/main.ts", serverArgs);
}

async function withToolchain(work) {
  return work({ root, env: await prepare(root, { pnpm: true }), cwd: userFolder(), args });
}

/** npm and pnpm move to the root; paths on the command line are relative to where the user stood. */
function userFolder() {
  const asked = process.env.INIT_CWD;
  return asked && existsSync(asked) ? asked : process.cwd();
}

/** Runs a program directly, not through pnpm: signals and exit codes have one hop less to get lost on. */
async function runProgram(program, programArgs) {
  const env = await prepare(root, { pnpm: false });
  return runChild("node", ["--disable-warning=ExperimentalWarning", join(root, program), ...programArgs], {
    cwd: userFolder(),
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
