import { type UsageFilter } from "./group-by.ts";
import { type Measures, type Metrics } from "./metrics.ts";
import { type DatabaseCost } from "./ports.ts";

/** Whose calls are added up: those of a run with all that it began, directly or not, or those of a conversation. */
export type RunUsageQuery = {
  userDid: string;
  filter: UsageFilter;
  of: { runId: string } | { conversationId: string };
};

/** How many runs an answer has at the most. */
export const MAX_RUNS = 1_000;

/**
 * One run with its own calls, not those of the runs that it began. Its parent is the one that its first call to name one named. `runId`
 * is `null` for calls that name none: of a conversation, or begun by a run without being one.
 */
type RunOf<Sums> = { runId: string | null; parentRunId: string | null } & Sums;

/** What a run's tree, or a conversation, cost: all of it, and each run by itself, in the order in which they began. */
export type RunUsage = { totals: Metrics; runs: RunOf<{ metrics: Metrics }>[] };

/** `runs` has one more than `most` runs where there are more. */
export type RunAggregates = DatabaseCost & { runs: RunOf<{ measures: Measures }>[] };

/** Adds up calls by their runs, in one statement. Throws as `UsageRepository` does. */
export type RunReader = {
  readRuns(query: RunUsageQuery & { most: number }, signal?: AbortSignal): Promise<RunAggregates>;
};
