import { type RankedBy, RANKING_METRICS, type UsageRankingInput } from "@usage-stats/core";
import * as z from "zod";
import { instant, text, usageFilter, withoutUndefined } from "./usage-stats-input.ts";

/** What `admin.usageByUser`, `usageByApp` and `usageByModel` take. */
export const usageRankingInput = z.strictObject({
  from: instant,
  to: instant,
  filter: usageFilter,
  orderBy: z.enum(RANKING_METRICS).default("calls"),
  direction: z.enum(["desc", "asc"]).default("desc"),
  /** Text that a name must hold, in whatever case. */
  search: text(256).optional(),
  limit: z.int().min(1).max(200).default(50),
  cursor: z.string().max(4096).optional(),
});

export type UsageRankingRequest = z.input<typeof usageRankingInput>;

/** Reads what the schema let through. */
export function rankingOf<By extends RankedBy>(
  by: By,
  { from, to, filter, search, cursor, ...rest }: z.output<typeof usageRankingInput>,
): UsageRankingInput & { by: By } {
  return {
    ...rest,
    by,
    from: new Date(from),
    to: new Date(to),
    filter: withoutUndefined(filter),
    search: search ?? null,
    ...(cursor !== undefined && { cursor }),
  };
}
