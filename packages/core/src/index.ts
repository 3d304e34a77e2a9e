export type { AdminAction, ApiKey, ApiKeyStore, AuditLog, KeyHashes, ViewerSecret } from "./access-ports.ts";
export { BUCKETS, chooseBucket, type Bucket } from "./bucket.ts";
export { type Awaitable, orElse, whenThere } from "./awaitable.ts";
export { cached, cacheEntry, type CacheFormat, type EntryFields } from "./cached.ts";
export { seriesBuckets, type SeriesBucket } from "./bucket-edges.ts";
export { UsageStatsError, type UsageStatsErrorCode } from "./errors.ts";
export { getRunUsage } from "./get-run-usage.ts";
export {
  MAX_RUNS,
  type RunAggregates,
  type RunReader,
  type RunUsage,
  type RunUsageQuery,
} from "./run-usage.ts";
export { getUsageRanking } from "./get-usage-ranking.ts";
export {
  RANKED_BY,
  type RankedBy,
  type RankingKeys,
  type UsageRanking,
  type UsageRankingQuery,
} from "./usage-ranking.ts";
export { seriesCells } from "./series-size.ts";
export { getUsageStats } from "./get-usage-stats.ts";
export {
  GROUP_DIMENSIONS,
  MAX_GROUP_DIMENSIONS,
  tagOf,
  tagsAskedFor,
  type GroupDimension,
  type GroupKey,
  type TagDimension,
  type UsageFilter,
} from "./group-by.ts";
export {
  GAMMA,
  LATENCIES,
  ZERO_BIN,
  type Latencies,
  type LatencyHistogram,
  type LatencyName,
} from "./latency-histogram.ts";
export { everyCall, listCalls } from "./list-calls.ts";
export {
  ANY_ORIGIN,
  type CallList,
  type CallOrigin,
  type CallPageQuery,
  type CallReader,
  type ListCallsQuery,
  type ListedCall,
} from "./listed-call.ts";
export { changeBetween, type Change } from "./growth.ts";
export { CREDIT_DECIMALS } from "./credit-units.ts";
export { assertExact, sumMeasures, toMetrics } from "./measures.ts";
export {
  METRIC_NAMES,
  METRICS,
  metricsOf,
  WHOLE_COLUMNS,
  type MeasureColumn,
  type Measures,
  type Metric,
  type Metrics,
  type WholeMeasure,
} from "./metrics.ts";
export type { CallField, FieldKind } from "./call-field.ts";
export { type CallTags, canonicalTags, isTagName, MAX_TAGS, TAG_VALUE_LIMITS } from "./call-tags.ts";
export { fitsBytes, isName, isPrintable, type NameLimits } from "./name-text.ts";
export {
  CALL_CONTENT,
  CALL_FIELD_NAMES,
  CALL_FIELDS,
  CALL_IDENTITY,
  CALL_STATUSES,
  CALL_TYPES,
  NOTHING_KNOWN,
  type CallChange,
  type CallFieldName,
  type CallStatus,
  type CallType,
  type CallVoid,
  type ModelCall,
  type RecordOutcome,
  type RequiredFieldName,
} from "./model-call.ts";
export type {
  CacheEntry,
  ContentCoding,
  Payload,
  CacheField,
  CacheInvalidator,
  CallWriter,
  Clock,
  DatabaseCost,
  GroupAggregate,
  ModelAggregate,
  RankedAggregate,
  RankingAggregates,
  RankingPlace,
  RankedAggregateQuery,
  RankingRepository,
  Rebuilder,
  RebuildPlan,
  ResultCache,
  RollupScope,
  Aggregates,
  UsageAggregates,
  AggregateQuery,
  UsageRepository,
  WaitLimits,
} from "./ports.ts";
export { MAX_PERCENTILES, type LatencyPercentiles, type Percentiles } from "./percentiles.ts";
export { RANKING_METRICS, type RankingMetric } from "./ranking-value.ts";
export { checkRange, previousRange, type TimeRange } from "./range.ts";
export { heldScopes, SCOPES, type Scope } from "./scope.ts";
export { isSettled, settledUntil, splitQuery, type SplitQuery } from "./split-query.ts";
export { GRAIN_MS, GRAINS, startOfGrain, tilesOf, type Grain, type Tiles } from "./tiles.ts";
export { isStorable } from "./storable-text.ts";
export { createLocalIso } from "./local-iso.ts";
export { parseTimeZone, timeZoneOfOffset } from "./time-zone.ts";
export type {
  GroupMetrics,
  MetricsByType,
  Ranked,
  SeriesItem,
  UsageStats,
  UsageStatsQuery,
} from "./usage-stats.ts";
