import { migrate } from "@usage-stats/db";
import { type Command } from "commander";
import { withDatabase } from "./with-deployment.ts";

export function registerMigrate(program: Command): void {
  program
    .command("migrate")
    .description("bring the database's schema up to date; safe to run again, and from two places at once")
    .action(() =>
      withDatabase(async (orm) => {
        const applied = await migrate(orm, new Date());
        console.log(
          applied.length === 0 ? "nothing to do: every migration has run" : `applied ${applied.join(", ")}`,
        );
      }, console.error),
    );
}
