import { migrate, type RollupDifference, verifyRollups } from "@usage-stats/db";
import { type Command } from "commander";
import { addScopeOptions, scopeOf, type ScopeOptions } from "./scope-options.ts";
import { withDatabase } from "./with-deployment.ts";

export function registerVerify(program: Command): void {
  addScopeOptions(program.command("verify"))
    .description(
      "compare rollups with calls, bucket by bucket; prints every difference and exits with 1 if there is any",
    )
    .action((options: ScopeOptions) => {
      const scope = scopeOf(options);
      return withDatabase(async (orm) => {
        await migrate(orm, new Date());
        const { differences, compared, waiting, frozen, users } = await verifyRollups(orm, scope);
        for (const difference of differences) console.log(lineOf(difference));
        console.log(
          `${differences.length} differences in ${compared} rollup rows of ${users} users; ${waiting} quarters of an hour wait to be rolled up and are read from calls; ${frozen} cannot be compared with calls, which were dropped`,
        );
        if (differences.length > 0) {
          console.error("Mend them with: usage-stats rebuild");
          process.exitCode = 1;
        }
      });
    });
}

function lineOf({ table, grain, userDid, start, dimensions, expected, found }: RollupDifference): string {
  const whose = userDid === "" ? "all users" : userDid;
  const where = Object.values(dimensions)
    .filter((value) => value !== "")
    .join(" / ");
  return `${table} ${grain} ${start} ${whose} ${where}: ${changes(expected, found)}`;
}

function changes(expected: RollupDifference["expected"], found: RollupDifference["found"]): string {
  if (found === null) return `missing, should be ${JSON.stringify(expected)}`;
  if (expected === null) return `should not be there, is ${JSON.stringify(found)}`;
  const names = Object.keys(expected).filter((name) => expected[name] !== found[name]);
  return names.map((name) => `${name} is ${found[name]}, should be ${expected[name]}`).join(", ");
}
