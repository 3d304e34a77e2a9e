import { migrate } from "@usage-stats/db";
import { type Command } from "commander";
import { counted } from "../commands/counted.ts";
import { rollUpWithProgress } from "./rollup-progress.ts";
import { withDatabase } from "../commands/with-deployment.ts";

export function registerRollup(program: Command): void {
  program
    .command("rollup")
    .description("roll up now whatever changed; the server does so by itself, all the time")
    .action(() =>
      withDatabase(async (orm) => {
        await migrate(orm, new Date());
        const quarters = await rollUpWithProgress(orm);
        console.log(
          quarters === 0
            ? "nothing to do: everything is rolled up"
            : `rolled up ${counted(quarters, "quarter")} of an hour`,
        );
      }),
    );
}
