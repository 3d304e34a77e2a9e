import { type AggregateQuery } from "@usage-stats/core";
import sql, { join, raw, type Sql } from "sql-template-tag";
import { bucketOf } from "./bucket-sql.ts";
import { instant } from "./instant-sql.ts";
import { DIMENSION_COLUMNS } from "./filter-sql.ts";
import { MEASURES, SUMMED_MEASURES } from "./measures-sql.ts";

/** Tables or subqueries to add up, each with `at` (a time), measures, and the dimensions that its part needs. */
export type Sources = {
  /** Both periods, with `type`. */
  series: Sql;
  /** The asked range, with `provider_id` and `model`. */
  models: Sql;
  /** The asked range, with the dimensions grouped by. */
  groups: Sql;
  /** The asked range, cut at the series' edges, with the dimensions grouped by. */
  groupSeries: Sql;
};

/** Puts the rows of an answer in order of rank, at the end of a statement. */
export const RANKED = raw(`order by part, rank, calls desc, key0 collate "C", key1 collate "C"`);

/** Selects everything an answer adds up, as the rows of `UsageRow`, in no order. */
export function answerSql(query: AggregateQuery, sources: Sources): Sql {
  const parts = [sumsSql(query, sources.series), modelsSql(sources.models)];
  if (query.groupBy.length > 0) parts.push(groupsSql(query, sources.groups));
  if (query.groupBy.length > 0 && query.edges.length > 0)
    parts.push(groupSeriesSql(query, sources.groups, sources.groupSeries));
  return join(parts, " union all ");
}

// A sum can be over rows that cancel out (a rollup taken away, its calls added): no calls left means there is nothing.
const MADE_OF_CALLS = raw("having sum(calls) <> 0");
const sums = raw(SUMMED_MEASURES);

function sumsSql({ range, edges }: AggregateQuery, source: Sql): Sql {
  return sql`
    select 'sum' as part, period, bucket, type as key0, null::text as key1, null::int as rank, ${sums}
      from (select case when at < ${instant(range.from)}::timestamptz then 'previous' else 'current' end as period,
                   ${bucketOf("at", edges)} as bucket, type, ${raw(MEASURES)}
              from ${source} as source) as placed
     group by period, bucket, type ${MADE_OF_CALLS}`;
}

function modelsSql(source: Sql): Sql {
  return sql`
    select 'model', null, null, provider_id, model, null, ${sums}
      from ${source} as source group by provider_id, model ${MADE_OF_CALLS}`;
}

function groupsSql(query: AggregateQuery, source: Sql): Sql {
  const { key0, key1 } = keys(query);
  return sql`
    select 'group', null, null, ${key0}, ${key1}, null, ${sums}
      from ${source} as source group by 4, 5 ${MADE_OF_CALLS}`;
}

function groupSeriesSql(query: AggregateQuery, source: Sql, seriesSource: Sql): Sql {
  const { key0, key1 } = keys(query);
  return sql`
    select 'group_series', null, bucket, min(top.key0), min(top.key1), rank, ${sums}
      from (select ${bucketOf("at", query.edges)} as bucket, ${key0} as key0, ${key1} as key1, ${raw(MEASURES)}
              from ${seriesSource} as source) as placed
      left join (select (row_number() over (order by sum(calls) desc, ${key0} collate "C", ${key1} collate "C"))::int as rank,
                        ${key0} as key0, ${key1} as key1
                   from ${source} as source group by 2, 3 ${MADE_OF_CALLS} order by 1 limit ${query.topN}) as top
        on top.key0 is not distinct from placed.key0 and top.key1 is not distinct from placed.key1
     where bucket is not null
     group by bucket, rank ${MADE_OF_CALLS}`;
}

function keys({ groupBy }: AggregateQuery): { key0: Sql; key1: Sql } {
  const [first, second] = groupBy.map((dimension) => raw(DIMENSION_COLUMNS[dimension]));
  return { key0: first!, key1: second ?? raw("null::text") };
}
