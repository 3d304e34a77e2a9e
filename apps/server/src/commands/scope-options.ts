import { checkRange, type RollupScope, UsageError } from "@usage-stats/core";
import { type Command } from "commander";

export type ScopeOptions = { user?: string; from?: string; to?: string };

/** Adds the options that say which rollups a command is about. */
export function addScopeOptions(command: Command): Command {
  return command
    .option("--user <did>", "only this user's")
    .option("--from <instant>", "from this instant on, such as 2026-01-01T00:00:00Z")
    .option("--to <instant>", "up to this instant");
}

/** Throws `invalid_range` or `invalid_time` for instants that make no range. */
export function scopeOf({ user, from, to }: ScopeOptions): RollupScope {
  if ((from === undefined) !== (to === undefined))
    throw new UsageError("invalid_range", "Give both --from and --to, or neither.");
  return {
    ...(user !== undefined && { userDid: user }),
    ...(from !== undefined &&
      to !== undefined && { range: checkRange({ from: new Date(from), to: new Date(to) }) }),
  };
}
