import { goalsTable } from "./goals-table.ts";
import { timingsTable } from "./measure.ts";
import { ratesTable } from "./rate.ts";
import { type BenchResult } from "./run-bench.ts";
import { tableText } from "./table-text.ts";
import { sizesTable } from "./table-sizes.ts";

/** The result for people. */
export function reportText({ goals, comparisons, timings, rates, sizes, machine, now }: BenchResult): string {
  return [
    `${now}, ${machine.cores} x ${machine.cpu}, ${machine.memoryGiB} GiB, Node ${machine.node}, PostgreSQL ${machine.postgres}, load before ${machine.load}`,
    ratesTable(rates),
    sizesTable(sizes),
    timingsTable("30 days and the 30 before", timings),
    goalsTable(goals),
    tableText(
      ["also", "reached"],
      comparisons.map(({ name, reached }) => [name, reached]),
    ),
  ].join("\n\n");
}
