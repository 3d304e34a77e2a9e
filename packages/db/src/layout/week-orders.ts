import { type RankingMetric } from "@usage-stats/core";

/** What each index of users' weekly sums by type orders by, largest first, as it is written in the index. */
export type WeekOrder = {
  index: string;
  /** What it orders by. */
  value: string;
  order: string;
};

const TOTAL_USAGE = "(coalesce(input_tokens, 0) + coalesce(output_tokens, 0) + coalesce(other_usage, 0))";

/**
 * The metrics by which users' weekly sums are in order. Each is of calls that add zero or more, so that a week's sum is the most that any
 * part of it can have. Zero may be null, and null comes last.
 */
export const WEEK_ORDERS: Partial<Record<RankingMetric, WeekOrder>> = {
  calls: { index: "idx_model_call_stats_week_calls", value: "calls", order: "calls desc" },
  credits: {
    index: "idx_model_call_stats_week_credits",
    value: "credits",
    order: "credits desc nulls last",
  },
  totalUsage: {
    index: "idx_model_call_stats_week_total_usage",
    value: TOTAL_USAGE,
    order: `${TOTAL_USAGE} desc`,
  },
};
