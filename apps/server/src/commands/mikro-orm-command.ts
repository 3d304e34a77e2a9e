import { spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { type Database } from "@usage-stats/db";
import { type Command } from "commander";
import { environment } from "../env.ts";
import { OperatorError } from "../operator-error.ts";
import { checkDown, MIKRO_ORM_COMMANDS, mikroOrmCommand } from "./mikro-orm-guard.ts";
import { withDatabase } from "./with-deployment.ts";

export function registerMikroOrm(program: Command): void {
  program
    .command("mikro-orm")
    .description(`MikroORM's own command line: ${MIKRO_ORM_COMMANDS.join(", ")}`)
    .argument("[args...]")
    .allowUnknownOption()
    .helpOption(false)
    .action(async (args: string[]) => {
      const command = mikroOrmCommand(args);
      if (command === null) {
        console.log(`mikro-orm <command> [--help], where the command is one of:`);
        for (const name of MIKRO_ORM_COMMANDS) console.log(`  ${name}`);
        return;
      }
      await withDatabase(async (orm, databaseUrl) => {
        if (!args.includes("--help")) await checkFirst(orm, command, args);
        process.exitCode = await runMikroOrm(args, databaseUrl);
      });
    });
}

async function checkFirst(orm: Database, command: string, args: string[]): Promise<void> {
  if (command === "migration:down") await checkDown(orm, args);
  if (command !== "migration:check") return;
  const pending = await orm.migrator.getPending();
  if (pending.length > 0)
    throw new OperatorError(
      `Not every migration has run: ${pending.map(({ name }) => name).join(", ")}. Run migration:up, and then check again.`,
    );
}

async function runMikroOrm(args: string[], databaseUrl: string): Promise<number> {
  const manifest = createRequire(import.meta.url).resolve("@mikro-orm/cli/package.json");
  const child = spawn(process.execPath, [...process.execArgv, join(dirname(manifest), "cli.js"), ...args], {
    stdio: "inherit",
    cwd: join(import.meta.dirname, "../.."),
    env: {
      ...environment(),
      DATABASE_URL: databaseUrl,
      // Node runs TypeScript by itself. MikroORM would ask to install a loader as soon as its configuration ends in `.ts`.
      MIKRO_ORM_CLI_CONFIG: join(import.meta.dirname, "../mikro-orm.config.js"),
      MIKRO_ORM_CLI_PREFER_TS: "0",
      MIKRO_ORM_CLI_ALWAYS_ALLOW_TS: "1",
    },
  });
  const [code] = (await once(child, "exit")) as [number | null];
  return code ?? 1;
}
