import { type Goal } from "./goals.ts";
import { tableText } from "./table-text.ts";

/** Goals for people: what was aimed for, what was reached, and whether that is enough. */
export function goalsTable(goals: Goal[]): string {
  return tableText(
    ["goal", "", "reached", "met"],
    goals.map(({ name, goal, reached, met }) => [name, goal, reached, met ? "yes" : "NO"]),
  );
}
