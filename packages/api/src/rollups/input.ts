import { checkRange, type RollupScope, UsageStatsError } from "@usage-stats/core";
import * as z from "zod";
import { instant } from "../input/instant.ts";
import { orRefuse } from "../input/refusal.ts";
import { userName } from "../input/wire-text.ts";

/**
 * What a rebuild takes: one user or everyone, a half-open range or all time; `dryRun` only says what it would do. Refuses one end
 * without the other with `invalid_range`.
 */
export const rebuildInput = z
  .strictObject({
    userDid: userName.optional(),
    from: instant.optional(),
    to: instant.optional(),
    dryRun: z.boolean().default(false),
  })
  .transform(orRefuse(({ dryRun, ...scope }) => ({ dryRun, scope: rollupScope(scope) })));

export type RebuildInput = z.input<typeof rebuildInput>;

type Sent = { userDid?: string | undefined; from?: Date | undefined; to?: Date | undefined };

function rollupScope({ userDid, from, to }: Sent): RollupScope {
  if ((from === undefined) !== (to === undefined)) {
    throw new UsageStatsError("invalid_range", "Send both from and to, or neither.", {
      field: from === undefined ? "from" : "to",
    });
  }
  return {
    ...(userDid !== undefined && { userDid }),
    ...(from !== undefined && to !== undefined && { range: checkRange({ from, to }) }),
  };
}
