import {
  BUCKETS,
  GROUP_DIMENSIONS,
  MAX_GROUP_DIMENSIONS,
  RANKING_METRICS,
  type TagDimension,
  tagOf,
} from "@usage-stats/core";
import * as z from "zod";
import { instant } from "../input/instant.ts";
import { percentiles } from "../input/percentiles.ts";
import { usageFilter } from "../input/usage-filter.ts";
import { userName } from "../input/wire-text.ts";

/** What groups and models are ordered by: any metric, as rankings. */
export const rankBy = z
  .enum(RANKING_METRICS)
  .describe(
    "The metric that groups and models are ordered by, and have their shares of; calls where absent.",
  );

const tagDimension = z.custom<TagDimension>((value) => typeof value === "string" && tagOf(value) !== null);
const dimension = z.union([z.enum(GROUP_DIMENSIONS), tagDimension], {
  error: `one of ${GROUP_DIMENSIONS.join(", ")}, or a tag, such as tag.team`,
});

/** What `usageStats` takes. */
export const usageStatsInput = z.strictObject({
  /** Whose usage; the caller's own where absent. */
  userDid: userName.optional(),
  from: instant,
  to: instant,
  timezone: z.string().max(64).default("UTC"),
  bucket: z.enum(["auto", ...BUCKETS]).default("auto"),
  groupBy: z
    .array(dimension)
    .max(MAX_GROUP_DIMENSIONS)
    .refine((dimensions) => new Set(dimensions).size === dimensions.length, "dimensions that differ")
    .default([]),
  filter: usageFilter,
  rankBy: rankBy.default("calls"),
  topN: z.int().min(1).max(100).default(5),
  compare: z.enum(["previous", "none"]).default("previous"),
  /** Percentiles of `durationMs` and `ttfbMs`, 1 to 5, such as 50, 95 and 99.9; read from the calls themselves, which takes longer. */
  percentiles: percentiles.exactOptional(),
  /** At most so many buckets a page. */
  limit: z.int().min(1).max(2500).exactOptional(),
  cursor: z.string().max(2048).exactOptional(),
  /** For admins: have the database answer, whatever the cache says. */
  noCache: z.boolean().default(false),
});

export type UsageStatsInput = z.input<typeof usageStatsInput>;

/** The same about all users together. */
export const everyonesUsageStatsInput = usageStatsInput.omit({ userDid: true });
