import { createRebuilder, migrate } from "@usage-stats/db";
import { type Command } from "commander";
import { OperatorError } from "../operator-error.ts";
import { counted } from "../commands/counted.ts";
import { rollUpWithProgress } from "./rollup-progress.ts";
import { addScopeOptions, nobodyOf, rollupScopeOf, type ScopeOptions } from "../commands/scope-options.ts";
import { withDatabase } from "../commands/with-deployment.ts";

export function registerRebuild(program: Command): void {
  addScopeOptions(program.command("rebuild"))
    .description("make rollups anew from their calls; answers stay right all the while")
    .option("--dry-run", "only say what would be replaced")
    .action((options: ScopeOptions & { dryRun?: boolean }) => {
      const scope = rollupScopeOf(options);
      return withDatabase(async (orm) => {
        await migrate(orm, new Date());
        const rebuilder = createRebuilder(orm);
        const { users, quarters, rollupRows } = await rebuilder.plan(scope);
        console.log(
          `${options.dryRun ? "would replace" : "replacing"} ${counted(rollupRows, "rollup row")} of ${counted(quarters, "quarter")} of an hour of ${counted(users, "user")}`,
        );
        if (users === 0 && options.user !== undefined)
          throw new OperatorError(nobodyOf(options.user, scope.range !== undefined));
        if (options.dryRun) return;
        await rebuilder.start(scope);
        await rollUpWithProgress(orm);
        console.log("done");
      });
    });
}
