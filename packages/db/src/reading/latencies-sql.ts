import { GAMMA, type GroupKey, LATENCIES, type LatencyName, METRICS, ZERO_BIN } from "@usage-stats/core";
import sql, { empty, join, raw, type Sql } from "sql-template-tag";
import { type AskedUsage, FROM, SPAN_FROM, TO, USER } from "./asked-usage.ts";
import { bucketOfCalls } from "./bucket-sql.ts";
import { andMatchesFilter } from "./filter-sql.ts";
import { andNotBetweenPeriods } from "./periods-sql.ts";
import { Place } from "./statement-template.ts";
import { spansOfParts } from "./sum-calls.ts";
import { grouped, type UsageShape } from "./usage-shape.ts";

/** What histograms are asked for: of which parts, if not of both periods, and which groups are `first`. */
export type AskedLatencies = AskedUsage & { first: GroupKey[] };
export type LatenciesShape = UsageShape & { isOfParts: boolean };

/** Stands where a rank does for all groups after the first. */
const OTHERS = -1;

/**
 * A histogram of one latency: of a `bucket` (`PREVIOUS`, or null outside the series), or of the group of a `rank`. A row for each, and
 * not for each bin, because there may be a hundred times as many of these.
 */
export type LatencyRow = {
  /** Its index among `LATENCIES`. */
  latency: number;
  is_of_group: boolean;
  bucket: number | null;
  /** The index of one of the first groups, or another for all others. */
  rank: number | null;
  /** PostgreSQL's text of arrays: bins, and how many calls are in each. */
  bins: string;
  calls: string;
};

const BIN_COLUMNS = LATENCIES.map((name) => `${METRICS[name].column}_bin`);
const BINS = BIN_COLUMNS.join(", ");

/** Writes the statement. One pass over the calls counts each latency by bucket and, where there are groups, by group. */
export function latenciesSql(shape: LatenciesShape): Sql {
  const isGrouped = shape.groupBy.length > 0;
  const places = isGrouped ? ["bucket", "rank"] : ["bucket"];
  const sets = places.flatMap((place) => BIN_COLUMNS.map((bin) => `(${place}, ${bin})`)).join(", ");
  const latency = BIN_COLUMNS.map((bin, i) => `when grouping(${bin}) = 0 then ${i}`);
  const place = isGrouped
    ? "grouping(rank) = 0 as is_of_group, bucket, rank"
    : "false as is_of_group, bucket, null::int as rank";
  const isOfPlace = isGrouped ? "and (grouping(rank) = 1 or rank is not null)" : "";
  return sql`
    select latency, is_of_group, bucket, rank, array_agg(bin)::text as bins, array_agg(calls)::text as calls
      from (select case ${raw(latency.join(" "))} end as latency, ${raw(place)}, coalesce(${raw(BINS)}) as bin, count(*) as calls
              from (select ${bucketOfCalls(shape)} as bucket, ${rankOf(shape)} as rank, ${raw(LATENCIES.map(binOf).join(", "))}
                      from (${callsOf(shape)}) as calls ${firstGroups(shape)}) as placed
             group by grouping sets (${raw(sets)})
            having coalesce(${raw(BINS)}) is not null ${raw(isOfPlace)}) as binned
     group by latency, is_of_group, bucket, rank`;
}

/** The calls that averages count, each `at` its time, but for those that tell no latency. */
function callsOf(shape: LatenciesShape): Sql {
  const counted = sql`voided_at is null and status = 'success' and call_time >= ${SPAN_FROM} and call_time < ${TO}${andMatchesFilter(shape)}`;
  if (shape.isOfParts)
    return sql`
      select calls.*, call_time as at from (${spansOfParts(shape)}) as spans cross join lateral (
        select * from model_calls
         where user_did = spans.user_did and call_time >= lo and call_time < hi and ${counted} offset 0) as calls`;
  const whose = shape.isEveryone ? raw("true") : sql`user_did = ${USER}`;
  return sql`select *, call_time as at from model_calls where ${whose} and ${counted}${andNotBetweenPeriods("call_time")}`;
}

/** The logarithm by γ, rounded up; of nothing, nothing. */
function binOf(name: LatencyName): string {
  const { column } = METRICS[name];
  return `case when ${column} <= 0 then ${ZERO_BIN} else ceil(ln(${column}::float8) / ln(${GAMMA}::float8))::int end as ${column}_bin`;
}

/** Which group of the range a call is in; none of the period before. */
function rankOf({ groupBy }: LatenciesShape): Sql {
  if (groupBy.length === 0) return raw("null::int");
  return sql`case when at >= ${FROM} then coalesce(top.rank, ${raw(String(OTHERS))}) end`;
}

/** Joins the first groups of the range. What a call does not name is null, and never empty. */
function firstGroups({ groupBy }: LatenciesShape): Sql {
  if (groupBy.length === 0) return empty;
  const keys = groupBy.map((dimension) => {
    const values = new Place<AskedLatencies>(({ first }) => first.map((key) => key[dimension] ?? ""));
    return sql`${values}::text[]`;
  });
  const names = raw(groupBy.map((_, i) => `key${i}`).join(", "));
  const matches = grouped({ groupBy }).map(({ value }, i) => `coalesce(${value}, '') = key${i}`);
  return sql`
      left join (select ${names}, rank::int - 1 as rank from unnest(${join(keys, ", ")}) with ordinality as keys(${names}, rank)) as top
        on ${raw(matches.join(" and "))}`;
}
