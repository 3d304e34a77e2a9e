import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { tagsSetting } from "../env.ts";
import { registerImport } from "../ingest/import/import-command.ts";
import { registerKeys } from "../keys/keys-command.ts";
import { registerMigrate } from "./migrate-command.ts";
import { registerMikroOrm } from "./mikro-orm-command.ts";
import { openCallWriter } from "./open-call-writer.ts";
import { registerRebuild } from "../rollups/rebuild-command.ts";
import { registerRollup } from "../rollups/rollup-command.ts";
import { registerServe } from "./serve-command.ts";
import { registerToken } from "./token-command.ts";
import { registerVerify } from "../rollups/verify-command.ts";

/** The whole command line. */
export function createProgram(): Command {
  const program = new Command("usage-stats")
    .description("What every user of an AI gateway spent, exact to the call.")
    .helpCommand(false)
    .version(version(), "--version")
    .addHelpText(
      "after",
      `
Every command works on the database of DATABASE_URL or, where that is not set, on the embedded
one in DATA_DIR (default .data), which it starts if no server is running.`,
    );
  registerServe(program);
  registerImport(program, openCallWriter, () => tagsSetting());
  registerToken(program);
  registerKeys(program);
  registerRollup(program);
  registerRebuild(program);
  registerVerify(program);
  registerMigrate(program);
  registerMikroOrm(program);
  pointToHelp(program, "usage-stats");
  return program;
}

/** After a mistake says where the help is: the help itself would push the mistake off the screen. */
function pointToHelp(command: Command, called: string): void {
  command.showHelpAfterError(`See ${called} --help.`);
  for (const child of command.commands) pointToHelp(child, `${called} ${child.name()}`);
}

function version(): string {
  const manifest = readFileSync(join(import.meta.dirname, "../../package.json"), "utf8");
  return `${(JSON.parse(manifest) as { version: string }).version} (Node ${process.versions.node})`;
}
