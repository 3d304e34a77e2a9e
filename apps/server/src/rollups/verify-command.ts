import { migrate, type Verification, verifyRollups } from "@usage-stats/db";
import { type Command } from "commander";
import { counted } from "../commands/counted.ts";
import { showProgressBar } from "../commands/progress-bar.ts";
import { addScopeOptions, nobodyOf, rollupScopeOf, type ScopeOptions } from "../commands/scope-options.ts";
import { withDatabase } from "../commands/with-deployment.ts";
import { lineOf } from "./difference-line.ts";

export function registerVerify(program: Command): void {
  addScopeOptions(program.command("verify"))
    .description(
      "compare rollups with calls, bucket by bucket; prints every difference, and exits with 1 if there is any or nothing of the user",
    )
    .action((options: ScopeOptions) => {
      const scope = rollupScopeOf(options);
      return withDatabase(async (orm) => {
        await migrate(orm, new Date());
        const bar = showProgressBar("comparing", "steps");
        const verification = await verifyRollups(orm, scope, { onProgress: bar.update }).finally(bar.stop);
        for (const difference of verification.differences) console.log(lineOf(difference));
        console.log(summaryOf(verification));
        const problem = problemOf(verification, options);
        if (problem === null) return;
        console.error(problem);
        process.exitCode = 1;
      });
    });
}

function summaryOf({ differences, compared, waiting, frozen, users }: Verification): string {
  const gone =
    frozen === 0
      ? ""
      : `; ${counted(frozen, "quarter")} of an hour not compared with calls, which were dropped`;
  const wait = waiting === 1 ? "waits to be rolled up and is" : "wait to be rolled up and are";
  return `${counted(differences.length, "difference")}; compared ${counted(compared, "rollup row")} of ${counted(users, "user")}; ${counted(waiting, "quarter")} of an hour ${wait} read from calls${gone}`;
}

/** What to do about it; `null` where all is well. A database without calls has nothing to compare, and nothing wrong. */
function problemOf({ differences, users }: Verification, { user, from, to }: ScopeOptions): string | null {
  if (differences.length > 0) return "Mend them with: usage-stats rebuild";
  if (user === undefined || users > 0) return null;
  return nobodyOf(user, from !== undefined || to !== undefined);
}
