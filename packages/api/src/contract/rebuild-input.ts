import { checkRange, type RollupScope, UsageError } from "@usage-stats/core";
import * as z from "zod";
import { instant, userName } from "./usage-stats-input.ts";

/** What a rebuild takes: one user or everyone, a half-open range or all time; `dryRun` only says what it would do. */
export const rebuildInput = z.strictObject({
  userDid: userName.optional(),
  from: instant.optional(),
  to: instant.optional(),
  dryRun: z.boolean().default(false),
});

export type RebuildRequest = z.input<typeof rebuildInput>;

/** The scope of a rebuild. Throws `invalid_range` for one end without the other. */
export function rebuildScope({ userDid, from, to }: z.output<typeof rebuildInput>): RollupScope {
  if ((from === undefined) !== (to === undefined)) {
    throw new UsageError("invalid_range", "Send both from and to, or neither.", {
      field: from === undefined ? "from" : "to",
    });
  }
  return {
    ...(userDid !== undefined && { userDid }),
    ...(from !== undefined &&
      to !== undefined && { range: checkRange({ from: new Date(from), to: new Date(to) }) }),
  };
}
