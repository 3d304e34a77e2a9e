import sql, { empty, join, raw, type Sql } from "sql-template-tag";
import { TOP_N, type UsageShape } from "./asked-usage.ts";
import { bucketOf } from "./bucket-sql.ts";
import { DIMENSION_COLUMNS } from "./filter-sql.ts";
import { largestFirstBy, MEASURE_COLUMNS, MEASURES, SUMMED_MEASURES } from "./measures-sql.ts";

/** Subqueries to add up, each with `at` (a time), measures, and the dimensions that its part needs. */
export type Sources = {
  /** Both periods, with `type`. */
  series: Sql;
  /** The asked range, with `provider_id` and `model`. */
  models: Sql;
  /** The asked range, with the dimensions grouped by; needed only where the series does not cover it. */
  groups: Sql;
  /** What the series covers, cut at its edges, with the dimensions grouped by. */
  groupSeries: Sql;
};

/**
 * Writes a statement that answers everything there is to add up, as rows of `UsageRow` in order of rank. `note` is one more row, or
 * none, made by `noteSql`.
 */
export function answerSql(shape: UsageShape, ctes: Sql[], sources: Sources, note: Sql = empty): Sql {
  const all = shape.groupBy.length > 0 ? [...ctes, ...groupCtes(shape, sources)] : ctes;
  const parts = [sumsSql(shape, sources.series), modelsSql(sources.models)];
  if (shape.groupBy.length > 0)
    parts.push(raw(`select 'group', null, key0, key1, null, ${MEASURES} from groups`));
  if (shape.groupBy.length > 0 && shape.series !== "none") parts.push(groupSeriesSql(shape));
  if (note !== empty) parts.push(note);
  return sql`${all.length > 0 ? sql`with ${join(all, ", ")}` : empty}
    select * from (${join(parts, " union all ")}) as answer
     order by part, rank, ${rankOrder(shape)}`;
}

/** Selects the row of an answer that says something else about it, in `key0`. */
export function noteSql(said: Sql, from: Sql): Sql {
  return sql`select 'note', null, ${said}, null, null, ${raw(MEASURE_COLUMNS.map(() => "null").join(", "))} ${from}`;
}

// A sum can be over rows that cancel out (a rollup taken away, its calls added): no calls left means there is nothing.
const MADE_OF_CALLS = raw("having sum8(calls) <> 0");
const sums = raw(SUMMED_MEASURES);

// The planner takes the rows of an answer for a few, and would sort them by their texts to group them. What has no order, such as an
// `xid`, can only be grouped by its hash.
const HASHED = raw("xid '0'");

function sumsSql(shape: UsageShape, source: Sql): Sql {
  return sql`
    select 'sum' as part, bucket, type as key0, null::text as key1, null::int as rank, ${sums}
      from (select ${bucketOf("at", shape)} as bucket, type, ${raw(MEASURES)} from (${source}) as source) as placed
     group by bucket, type, ${HASHED} ${MADE_OF_CALLS}`;
}

function modelsSql(source: Sql): Sql {
  return sql`
    select 'model', null, provider_id, model, null, ${sums}
      from (${source}) as source group by provider_id, model, ${HASHED} ${MADE_OF_CALLS}`;
}

/** Writes `cells`, the sums of each group in each bucket, and `groups`, their sums in the range. */
function groupCtes(shape: UsageShape, sources: Sources): Sql[] {
  const { groupBy, series } = shape;
  const [first, second] = groupBy.map((dimension) => raw(DIMENSION_COLUMNS[dimension]));
  const keys = sql`${first!} as key0, ${second ?? raw("null::text")} as key1`;
  const cells = sql`cells as materialized (
    select bucket, key0, key1, ${sums}
      from (select ${bucketOf("at", shape)} as bucket, ${keys}, ${raw(MEASURES)} from (${sources.groupSeries}) as source) as placed
     group by bucket, key0, key1, ${HASHED})`;
  const source =
    series === "whole"
      ? raw("cells")
      : sql`(select ${keys}, ${raw(MEASURES)} from (${sources.groups}) as source) as keyed`;
  const groups = sql`groups as materialized (
    select key0, key1, ${sums} from ${source} group by key0, key1, ${HASHED} ${MADE_OF_CALLS})`;
  return series === "none" ? [groups] : [cells, groups];
}

function rankOrder({ rankBy }: UsageShape): Sql {
  return raw(`${largestFirstBy(rankBy)}, key0 collate "C", key1 collate "C"`);
}

function groupSeriesSql(shape: UsageShape): Sql {
  return sql`
    select 'group_series', bucket, min(top.key0), min(top.key1), rank, ${sums}
      from cells
      left join (select (row_number() over (order by ${rankOrder(shape)}))::int as rank, key0, key1
                   from groups order by 1 limit ${TOP_N}) as top
        on top.key0 is not distinct from cells.key0 and top.key1 is not distinct from cells.key1
     where bucket is not null
     group by bucket, rank ${MADE_OF_CALLS}`;
}
