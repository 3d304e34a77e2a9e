import {
  type AggregateQuery,
  type Aggregates,
  GAMMA,
  type GroupKey,
  LATENCIES,
  type Latencies,
  type LatencyHistogram,
  type LatencyName,
  METRICS,
  type TimeRange,
  UsageStatsError,
  ZERO_BIN,
} from "@usage-stats/core";
import sql, { empty, join, raw, type Sql } from "sql-template-tag";
import { sqlStateOf } from "../connection/sqlstate.ts";
import {
  askParts,
  type AskedUsage,
  FROM,
  shapeOf,
  SPAN_FROM,
  TO,
  USER,
  type UsageShape,
} from "./asked-usage.ts";
import { bucketOf, PREVIOUS } from "./bucket-sql.ts";
import { andMatchesFilter, DIMENSION_COLUMNS } from "./filter-sql.ts";
import { andNotBetweenPeriods } from "./periods-sql.ts";
import { Place, templateByShape } from "./statement-template.ts";
import { type RunStatement } from "./statement-runner.ts";
import { spansOfParts } from "./sum-calls.ts";

/**
 * Reads histograms of the latencies that some sums of a query count, from the calls themselves: of all of both periods, or of some
 * `parts` of them. To be run in the snapshot of these sums, whose groups say which are first. Throws `unavailable` where that takes
 * longer than a statement may.
 */
export async function readLatencies(
  run: RunStatement,
  query: AggregateQuery,
  { groups }: Pick<Aggregates, "groups">,
  parts: TimeRange[] | null,
): Promise<Latencies> {
  const first = groups.slice(0, query.topN).map(({ key }) => key);
  const shape = { ...shapeOf(query), isOfParts: parts !== null };
  const statement = statementOf(shape)({ ...askParts(query, parts ?? []), first });
  try {
    return latenciesOf(await run<LatencyRow>(statement, "prepared"), first);
  } catch (error) {
    throw sqlStateOf(error) === QUERY_CANCELED ? tookTooLong(error) : error;
  }
}

const QUERY_CANCELED = "57014";

function tookTooLong(cause: unknown): UsageStatsError {
  return new UsageStatsError(
    "unavailable",
    "The percentiles of so many calls cannot be told in time. Leave out percentiles, or ask for a shorter range.",
    { field: "percentiles", cause },
  );
}

type AskedLatencies = AskedUsage & { first: GroupKey[] };
type LatenciesShape = UsageShape & { isOfParts: boolean };

const BINS = LATENCIES.map((name) => `${METRICS[name].column}_bin`);

/** Stands where a rank does for all groups after the first. */
const OTHERS = -1;

/** How many calls have a latency in a bin: those in a `bucket` (`PREVIOUS`, or null outside the series), or those of a group. */
type LatencyRow = {
  /** Its index among `LATENCIES`. */
  latency: number;
  bin: number;
  is_of_group: boolean;
  bucket: number | null;
  rank: number | null;
  calls: string;
};

/** One pass over the calls counts each latency twice: by bucket and, where there are groups, by group. */
const statementOf = templateByShape<LatenciesShape, AskedLatencies>((shape) => {
  const isGrouped = shape.groupBy.length > 0;
  const places = isGrouped ? ["bucket", "rank"] : ["bucket"];
  const sets = places.flatMap((place) => BINS.map((bin) => `(${place}, ${bin})`)).join(", ");
  const latency = BINS.map((bin, i) => `when grouping(${bin}) = 0 then ${i}`).join(" ");
  return sql`
    select case ${raw(latency)} end as latency, coalesce(${raw(BINS.join(", "))}) as bin,
           ${raw(isGrouped ? "grouping(rank) = 0 as is_of_group, bucket, rank" : "false as is_of_group, bucket, null::int as rank")}, count(*) as calls
      from (select ${bucketOf("call_time", shape)} as bucket, ${rankOf(shape)}${raw(LATENCIES.map(binOf).join(", "))}
              from (${callsOf(shape)}) as calls ${firstGroups(shape)}) as placed
     group by grouping sets (${raw(sets)})
    having coalesce(${raw(BINS.join(", "))}) is not null${raw(isGrouped ? " and (grouping(rank) = 1 or rank is not null)" : "")}`;
});

/** The calls that averages count, but for those that tell no latency. */
function callsOf(shape: LatenciesShape): Sql {
  const counted = sql`voided_at is null and status = 'success' and call_time >= ${SPAN_FROM} and call_time < ${TO}${andMatchesFilter(shape)}`;
  if (shape.isOfParts)
    return sql`
      select calls.* from (${spansOfParts(shape)}) as spans cross join lateral (
        select * from model_calls
         where user_did = spans.user_did and call_time >= lo and call_time < hi and ${counted} offset 0) as calls`;
  const whose = shape.isEveryone ? raw("true") : sql`user_did = ${USER}`;
  return sql`select * from model_calls where ${whose} and ${counted}${andNotBetweenPeriods("call_time")}`;
}

/** The logarithm by γ, rounded up; of nothing, nothing. */
function binOf(name: LatencyName): string {
  const { column } = METRICS[name];
  return `case when ${column} <= 0 then ${ZERO_BIN} else ceil(ln(${column}::float8) / ln(${GAMMA}::float8))::int end as ${column}_bin`;
}

/** Which group of the range a call is in; none of the period before. */
function rankOf({ groupBy }: LatenciesShape): Sql {
  if (groupBy.length === 0) return empty;
  return sql`case when call_time >= ${FROM} then coalesce(top.rank, ${raw(String(OTHERS))}) end as rank, `;
}

/** Joins the first groups of the range. What a call does not name is null, and never empty. */
function firstGroups({ groupBy }: LatenciesShape): Sql {
  if (groupBy.length === 0) return empty;
  const values = groupBy.map((dimension) => {
    const keys = new Place<AskedLatencies>(({ first }) => first.map((key) => key[dimension] ?? ""));
    return sql`${keys}::text[]`;
  });
  const columns = groupBy.map((dimension) =>
    raw(`coalesce(calls.${DIMENSION_COLUMNS[dimension]}, '') = key_${dimension}`),
  );
  const names = raw(groupBy.map((dimension) => `key_${dimension}`).join(", "));
  return sql`
              left join (select ${names}, rank::int - 1 as rank from unnest(${join(values, ", ")}) with ordinality as keys(${names}, rank)) as top
                on ${join(columns, " and ")}`;
}

/** Sorts rows into histograms. */
function latenciesOf(rows: LatencyRow[], first: GroupKey[]): Latencies {
  const [ofGroups, ofBuckets] = [true, false].map((isOfGroup) =>
    rows.filter(({ is_of_group: isSo }) => isSo === isOfGroup),
  ) as [LatencyRow[], LatencyRow[]];
  return {
    sums: [...Map.groupBy(ofBuckets, ({ bucket }) => bucket)].map(([bucket, own]) => ({
      period: bucket === PREVIOUS ? "previous" : "current",
      bucket: bucket === PREVIOUS ? null : bucket,
      ...histogramsOf(own),
    })),
    groups: [...Map.groupBy(ofGroups, ({ rank }) => rank!)].map(([rank, own]) => ({
      key: first[rank] ?? null,
      ...histogramsOf(own),
    })),
  };
}

function histogramsOf(rows: LatencyRow[]): Record<LatencyName, LatencyHistogram> {
  const histograms = LATENCIES.map((name, index): [LatencyName, LatencyHistogram] => {
    const own = rows.filter(({ latency }) => latency === index);
    return [name, own.map(({ bin, calls }) => [bin, Number(calls)])];
  });
  return Object.fromEntries(histograms) as Record<LatencyName, LatencyHistogram>;
}
