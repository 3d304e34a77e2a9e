import { checkRange, type RollupScope, UsageStatsError } from "@usage-stats/core";
import { type Command } from "commander";

export type ScopeOptions = { user?: string; from?: string; to?: string };

// Calls are of these years.
const EARLIEST = new Date("2000-01-01T00:00:00Z");
const LATEST = new Date("2100-01-01T00:00:00Z");

/** Adds the options that say which rollups a command is about. */
export function addScopeOptions(command: Command): Command {
  return command
    .option("--user <did>", "only this user's")
    .option(
      "--from <instant>",
      "from this instant on, such as 2026-01-01T00:00:00Z (default: the first call)",
    )
    .option("--to <instant>", "up to this instant, which is not in it (default: the last call)");
}

/** Throws `invalid_range` or `invalid_time` for instants that make no range. */
export function rollupScopeOf({ user, from, to }: ScopeOptions): RollupScope {
  const range =
    from === undefined && to === undefined
      ? null
      : checkRange({ from: instantOf("--from", from) ?? EARLIEST, to: instantOf("--to", to) ?? LATEST });
  return { ...(user !== undefined && { userDid: user }), ...(range !== null && { range }) };
}

/** What to say where a scope has nothing of a user: a misspelt name looks like a good result otherwise. */
export function nobodyOf(user: string, isOfSomeTime: boolean): string {
  return `There is nothing of user ${user}${isOfSomeTime ? " in this time" : ""}: no call, no rollup. Is the name right?`;
}

/** An instant that means the same wherever it is said: a date is its midnight in UTC. */
function instantOf(option: string, given: string | undefined): Date | undefined {
  if (given === undefined) return undefined;
  const isInstant = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/.test(given);
  const time = new Date(given);
  if (isInstant && !Number.isNaN(time.getTime())) return time;
  throw new UsageStatsError(
    "invalid_time",
    `${option} must be a date or an instant with its offset, such as 2026-01-31 or 2026-01-31T00:00:00Z. Got ${given}.`,
  );
}
