import { assembleStats } from "./assemble-stats.ts";
import { seriesBuckets, type SeriesBucket } from "./bucket-edges.ts";
import { chooseBucket } from "./bucket.ts";
import { type CursorScope, pageOf, type SeriesPage } from "./cursor.ts";
import { refuseKeysOfEveryone } from "./group-by.ts";
import { type DatabaseCost, type ResultCache, type AggregateQuery, type UsageRepository } from "./ports.ts";
import { checkRange, previousRange } from "./range.ts";
import { type AnswerAggregates, readUsageAggregates } from "./read-usage-aggregates.ts";
import { checkSeriesSize } from "./series-size.ts";
import { isSettled } from "./split-query.ts";
import { tellPercentiles } from "./tell-percentiles.ts";
import { parseTimeZone } from "./time-zone.ts";
import { type UsageStats, type UsageStatsQuery } from "./usage-stats.ts";

/**
 * Answers a usage query: totals, a zero-filled series, the top models and groups, and the period before, all of one
 * database snapshot; or its history from the cache, and the remainder of one. Throws `UsageStatsError` for a query that cannot be
 * answered, and `unavailable` if the database cannot. It ends early, throwing the reason, when `signal` aborts.
 */
export async function getUsageStats(
  context: {
    repository: UsageRepository;
    cache: ResultCache | null;
    /** The instant that it is answered as of. */
    now: Date;
    signal?: AbortSignal | undefined;
  },
  input: UsageStatsQuery,
): Promise<{ stats: UsageStats; cost: DatabaseCost }> {
  const { now } = context;
  const plan = planQuery(input, now);
  const cache = input.noCache === true ? null : context.cache;
  const { aggregates, cost } = await readUsageAggregates({ ...context, cache }, plan.query);
  return { stats: assemble(input, plan, aggregates, now), cost };
}

type Plan = { scope: CursorScope; page: SeriesPage; query: AggregateQuery };

function planQuery(input: UsageStatsQuery, now: Date): Plan {
  const { userDid, groupBy, filter, rankBy, topN } = input;
  if (userDid === null) refuseKeysOfEveryone(input);
  const range = checkRange({ from: input.from, to: input.to });
  const timezone = parseTimeZone(input.timezone);
  const bucket = chooseBucket(input.bucket, range);
  const scope = { userDid, range, timezone, bucket };
  const page = pageOf(seriesBuckets(range, timezone, bucket), scope, input.limit, input.cursor);
  checkSeriesSize(page.buckets.length, input);
  const previous = input.compare === "previous" ? previousRange(range) : null;
  return {
    scope,
    page,
    query: {
      userDid,
      range,
      previous,
      settled: isSettled(range, now),
      edges: edgesOf(page.buckets),
      groupBy,
      filter,
      rankBy,
      topN,
      ...(input.percentiles !== undefined && { latencies: true }),
    },
  };
}

function edgesOf(buckets: SeriesBucket[]): Date[] {
  const last = buckets.at(-1);
  return last === undefined ? [] : [...buckets.map((bucket) => bucket.start), last.end];
}

function assemble(input: UsageStatsQuery, plan: Plan, aggregates: AnswerAggregates, now: Date): UsageStats {
  const { scope, page, query } = plan;
  const { buckets } = page;
  const { previous, rankBy, topN } = query;
  const shape = { buckets, grouped: input.groupBy.length > 0, rankBy, topN, previous, now };
  const stats = assembleStats(shape, aggregates);
  const { percentiles, groupBy } = input;
  return {
    range: { ...scope.range, timezone: scope.timezone, bucket: scope.bucket },
    ...(percentiles === undefined ? stats : tellPercentiles({ percentiles, groupBy }, stats, aggregates)),
    freshness: { computedAt: now, liveFrom: aggregates.liveFrom, source: aggregates.source },
    nextCursor: page.nextCursor,
  };
}
