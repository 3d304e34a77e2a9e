import { Command } from "commander";
import { registerImport } from "../import/import-command.ts";
import { registerKeys } from "./keys-command.ts";
import { registerMigrate } from "./migrate-command.ts";
import { registerMikroOrm } from "./mikro-orm-command.ts";
import { openRecorder } from "./open-recorder.ts";
import { registerRebuild } from "./rebuild-command.ts";
import { registerRollup } from "./rollup-command.ts";
import { registerServe } from "./serve-command.ts";
import { registerToken } from "./token-command.ts";
import { registerVerify } from "./verify-command.ts";

/** The whole command line. */
export function createProgram(): Command {
  const program = new Command("usage-stats")
    .description("What every user of an AI gateway spent, exact to the call.")
    .helpCommand(false)
    .showHelpAfterError()
    .addHelpText(
      "after",
      `
Every command works on the database of DATABASE_URL or, where that is not set, on the embedded
one in DATA_DIR (default .data), which it starts if no server is running.`,
    );
  registerServe(program);
  registerImport(program, openRecorder);
  registerToken(program);
  registerKeys(program);
  registerRollup(program);
  registerRebuild(program);
  registerVerify(program);
  registerMigrate(program);
  registerMikroOrm(program);
  return program;
}
