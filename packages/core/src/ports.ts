import { type TimeRange } from "./range.ts";
import { type CallType, type ModelCall, type RecordOutcome } from "./model-call.ts";
import { type Measures } from "./measures.ts";
import { type GroupDimension, type GroupKey, type UsageFilter } from "./group-by.ts";

export type Clock = { now(): Date };

/** A question to the repository. Every edge is an instant already: the repository knows no time zones. */
export type UsageQuestion = {
  /** `null` asks for all users together. */
  userDid: string | null;
  range: TimeRange;
  previous: TimeRange | null;
  /** Whether the range is over. A hint at what will be fast; an answer never depends on a clock. */
  closed: boolean;
  /** The n + 1 edges of the n contiguous series buckets wanted; empty for none. They may cover only a part of the range. */
  edges: Date[];
  groupBy: GroupDimension[];
  filter: UsageFilter;
  /** How many of the groups with the most calls get a series of their own. */
  topN: number;
};

export type ModelFact = { providerId: string; model: string; measures: Measures };
export type GroupFact = { key: GroupKey; measures: Measures };

/** Sums over the calls of a question, all of one database snapshot. Absent rows are zeros. */
export type UsageFacts = {
  /** `bucket` is the index of the series bucket, or `null` outside the series: all rows of a period add up to its totals. */
  sums: { period: "current" | "previous"; bucket: number | null; type: CallType; measures: Measures }[];
  /** Every provider and model of the range, most calls first. */
  models: ModelFact[];
  /** Every group of the range, most calls first; empty when nothing is grouped. */
  groups: GroupFact[];
  /** `key` is `null` for all groups after the first `topN` together. */
  groupSeries: { bucket: number; key: GroupKey | null; measures: Measures }[];
  /** From this instant on, calls were read one by one rather than from rollups. */
  liveFrom: Date;
  source: "rollup" | "rollup+live" | "raw";
  statements: number;
  durationMs: number;
};

/** Throws `unavailable` where the database does not answer in time: never a part of the answer. */
export type UsageRepository = { read(question: UsageQuestion): Promise<UsageFacts> };

/** Records calls, durably once the promise resolves; outcomes come in the order of the calls. Recording twice changes nothing. */
export type CallRecorder = { record(calls: ModelCall[]): Promise<RecordOutcome[]> };

/** Which rollups: one user's or everyone's, of a range or of all time. */
export type RollupScope = { userDid?: string; range?: TimeRange };

/** What a rebuild replaces: quarters of an hour of users that have calls or rollups, and the rollup rows they have now. */
export type RebuildPlan = { users: number; quarters: number; rollupRows: number };

/** Has rollups made anew from their calls. Answers are right all the while. */
export type Rebuilder = {
  /** Says what `start` would do, and does nothing. */
  plan(scope: RollupScope): Promise<RebuildPlan>;
  /** Begins; a worker does the rest. */
  start(scope: RollupScope): Promise<void>;
};
