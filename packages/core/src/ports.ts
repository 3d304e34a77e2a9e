import { type Awaitable } from "./awaitable.ts";
import { type TimeRange } from "./range.ts";
import { type CallChange, type CallType, type RecordOutcome } from "./model-call.ts";
import { type Latencies } from "./latency-histogram.ts";
import { type Measures } from "./metrics.ts";
import { type RankingMetric } from "./ranking-value.ts";
import { type RankedBy } from "./usage-ranking.ts";
import { type GroupDimension, type GroupKey, type UsageFilter } from "./group-by.ts";

/** For what lives longer than a request, which reads a clock once: whatever it decides, it decides as of one instant. */
export type Clock = { now(): Date };

/** A query to the repository. Every edge is an instant already: the repository knows no time zones. */
export type AggregateQuery = {
  /** `null` asks for all users together. */
  userDid: string | null;
  range: TimeRange;
  /** The period to compare with. It ends where the range starts, or before. */
  previous: TimeRange | null;
  /** Whether the range is settled. A hint at what will be fast; an answer never depends on a clock. */
  settled: boolean;
  /** The n + 1 edges of the n contiguous series buckets wanted; empty for none. They may cover only a part of the range. */
  edges: Date[];
  groupBy: GroupDimension[];
  filter: UsageFilter;
  /** The metric that groups and models are ordered by, largest first: equals by their keys, no average last. */
  rankBy: RankingMetric;
  /** How many of the first groups get a series of their own. */
  topN: number;
  /** Whether histograms of latencies are read too, of the same snapshot. Sums may come from rollups; histograms take every call. */
  latencies?: boolean;
};

export type ModelAggregate = { providerId: string; model: string; measures: Measures };
export type GroupAggregate = { key: GroupKey; measures: Measures };

/** Sums over the calls of a query. Absent rows are zeros. */
export type Aggregates = {
  /** `bucket` is the index of the series bucket, or `null` outside the series: all rows of a period add up to its totals. */
  sums: { period: "current" | "previous"; bucket: number | null; type: CallType; measures: Measures }[];
  /** Every provider and model of the range, in the order of `rankBy`. */
  models: ModelAggregate[];
  /** Every group of the range, in the order of `rankBy`; empty when nothing is grouped. */
  groups: GroupAggregate[];
  /** `key` is `null` for all groups after the first `topN` together. */
  groupSeries: { bucket: number; key: GroupKey | null; measures: Measures }[];
  /** Of the calls that the sums count, as far as they are there; only where the query asks for them. */
  latencies?: Latencies;
};

/** What reading cost the database. */
export type DatabaseCost = { statements: number; durationMs: number };

/** The sums of a whole query, all of one database snapshot. */
export type UsageAggregates = Aggregates &
  DatabaseCost & {
    /** From this instant on, calls were read one by one rather than from rollups. */
    liveFrom: Date;
    source: "rollup" | "rollup+live" | "raw";
  };

/** Where a page of a ranking ended: what it is ordered by there, exactly as the database wrote it, and whose that was. */
export type RankingPlace = { value: string; key: readonly [string, string]; rank: number };

/** A query to the repository about everyone's calls, by user, app or model. */
export type RankedAggregateQuery = {
  range: TimeRange;
  /** Whether the range is settled, as of an `AggregateQuery`. */
  settled: boolean;
  by: RankedBy;
  filter: UsageFilter;
  orderBy: RankingMetric;
  direction: "desc" | "asc";
  search: string | null;
  limit: number;
  /** `null` for the first page. Of equals the one whose key is smaller comes first. */
  after: Pick<RankingPlace, "value" | "key"> | null;
};

/** `key` is a user and "", an app ("" for none) and "", or a provider and a model. */
export type RankedAggregate = { key: readonly [string, string]; value: string; measures: Measures };

export type RankingAggregates = DatabaseCost &
  Pick<UsageAggregates, "liveFrom" | "source"> & {
    items: RankedAggregate[];
    totals: Measures;
    matched: { count: number; measures: Measures };
  };

/**
 * Throws `unavailable` where the database does not answer in time: never a part of the answer. A `signal` that aborts ends the
 * statement; its reason is thrown then.
 */
export type UsageRepository = {
  read(query: AggregateQuery, signal?: AbortSignal): Promise<UsageAggregates>;
  /** Adds up only the calls in some `parts` of the query's periods, one by one: for parts with few calls. */
  sumCalls(
    query: AggregateQuery,
    parts: TimeRange[],
    signal?: AbortSignal,
  ): Promise<Aggregates & DatabaseCost>;
};

/** Ranks users, apps or models by what they used. Throws as `UsageRepository` does. */
export type RankingRepository = {
  readRanking(query: RankedAggregateQuery, signal?: AbortSignal): Promise<RankingAggregates>;
};

/** What a text is kept under: everything that it depends on, besides the calls themselves. */
export type CacheEntry = {
  /** What the text is, such as an answer in one of its formats. */
  kind: string;
  /** Whose calls it is made of; `null` for everyone's. */
  userDid: string | null;
  fields: readonly CacheField[];
  /** Whether the text is sent as it is, and so is kept compressed too. It changes no key. */
  isSent?: boolean;
};
export type CacheField = string | number | null | readonly CacheField[];

/** How a text may be compressed for whoever takes that: https://www.iana.org/assignments/http-parameters#content-coding */
export type ContentCoding = "br" | "gzip";

/** A text as it is kept and sent. */
export type Payload = {
  /** In UTF-8. */
  bytes: Uint8Array<ArrayBuffer>;
  /** A digest of its bytes, where somebody has made one. */
  digest?: string;
  /** The same bytes compressed: absent where that was not done yet, without what was not worth it. */
  encoded?: Readonly<Partial<Record<ContentCoding, Uint8Array<ArrayBuffer>>>>;
};

/**
 * Keeps texts that were made of a user's settled calls (`settledUntil`), and gives one back only while none of those calls
 * has changed. A fault of the cache is a miss: nothing here throws but `compute`.
 */
export type ResultCache = {
  /** The text kept for an entry, or `null`: at once where nothing has to be waited for. */
  peek(entry: CacheEntry): Awaitable<Payload | null>;
  /**
   * The text kept for an entry, or else what `compute` gives, which is kept then. Throws what `compute` throws. Its
   * signal aborts when nobody waits for the text any more.
   */
  remember(
    entry: CacheEntry,
    compute: (signal?: AbortSignal) => Promise<string | Uint8Array<ArrayBuffer>>,
  ): Promise<{ payload: Payload; hit: boolean }>;
};

/** To be told after settled calls were changed, once that is committed: what was kept of those users is given out no more. */
export type CacheInvalidator = {
  invalidate(userDids: readonly string[]): Promise<void>;
  /** For changes that nobody can name: everything kept is dropped. */
  invalidateAll(): Promise<void>;
};

/** How long a caller waits. */
export type WaitLimits = {
  /** Aborts when nobody waits any more: what was not sent to the database by then is never sent. Its reason is thrown. */
  signal?: AbortSignal | undefined;
  /** When, in milliseconds of `performance.now()`, `unavailable` is thrown, and a write that has not begun by then never will. */
  deadline?: number | undefined;
};

/**
 * Records calls, durably once the promise resolves; outcomes come in the order of the changes. Recording twice changes nothing, and
 * neither does `processing` for a call that has ended. An `atomic` recording that could not make one of them throws `conflict`, and has
 * made none.
 */
export type CallWriter = {
  record(
    changes: readonly CallChange[],
    options?: WaitLimits & { atomic?: boolean },
  ): Promise<RecordOutcome[]>;
};

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
