import { type BenchResult } from "./run-bench.ts";
import { goalsTable } from "./goals-table.ts";
import { tableText } from "./table-text.ts";

/** The result for people. */
export function reportText({ goals, comparisons, timings, rates, sizes, machine, now }: BenchResult): string {
  const ms = (value: number) => value.toFixed(2);
  return [
    `${now}, ${machine.cores} x ${machine.cpu}, ${machine.memoryGiB} GiB, Node ${machine.node}, PostgreSQL ${machine.postgres}, load before ${machine.load}`,
    tableText(
      ["", "count", "seconds", "a second"],
      rates.map(({ name, count, seconds }) => [name, count, seconds.toFixed(1), Math.round(count / seconds)]),
    ),
    tableText(
      ["table", "rows", "MiB", "MiB of indexes"],
      sizes.map(({ table, rows, mebibytes, indexMebibytes }) => [table, rows, mebibytes, indexMebibytes]),
    ),
    tableText(
      ["30 days and the 30 before, milliseconds", "median", "fastest", "slowest", "times"],
      timings.map(({ name, median, fastest, slowest, times }) => [
        name,
        ms(median),
        ms(fastest),
        ms(slowest),
        times,
      ]),
    ),
    goalsTable(goals),
    tableText(
      ["also", "reached"],
      comparisons.map(({ name, reached }) => [name, reached]),
    ),
  ].join("\n\n");
}
