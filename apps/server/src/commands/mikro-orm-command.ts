import { spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { checkDatabase } from "@usage-stats/db";
import { type Command } from "commander";
import { environment } from "../env.ts";
import { withDeployment } from "./with-deployment.ts";

export function registerMikroOrm(program: Command): void {
  program
    .command("mikro-orm")
    .description(
      "MikroORM's own command line: migration:up, migration:down, migration:check, migration:list …",
    )
    .argument("[args...]")
    .allowUnknownOption()
    .helpOption(false)
    .action((args: string[]) =>
      withDeployment(async ({ databaseUrl }) => {
        // Its own words for a database that is not there are a page of options and a stack.
        await checkDatabase(databaseUrl);
        const manifest = createRequire(import.meta.url).resolve("@mikro-orm/cli/package.json");
        const child = spawn(
          process.execPath,
          [...process.execArgv, join(dirname(manifest), "cli.js"), ...args],
          {
            stdio: "inherit",
            cwd: join(import.meta.dirname, "../.."),
            env: {
              ...environment(),
              DATABASE_URL: databaseUrl,
              MIKRO_ORM_CLI_CONFIG: join(import.meta.dirname, "../mikro-orm.config.ts"),
              MIKRO_ORM_CLI_PREFER_TS: "1",
            },
          },
        );
        const [code] = (await once(child, "exit")) as [number | null];
        process.exitCode = code ?? 1;
      }),
    );
}
