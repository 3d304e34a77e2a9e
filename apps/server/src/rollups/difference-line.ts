import { type RollupDifference } from "@usage-stats/db";

/** Tells in a line what is wrong with a rollup row. */
export function lineOf({
  table,
  grain,
  userDid,
  start,
  dimensions,
  expected,
  found,
}: RollupDifference): string {
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
