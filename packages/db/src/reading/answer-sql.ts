import sql, { empty, join, raw, type Sql } from "sql-template-tag";
import { typeCode, typeName } from "../layout/call-type-codes.ts";
import { NEGATED_STORED, STORED_COLUMNS, STORED_LIST, SUMMED_STORED } from "../layout/stored-measures.ts";
import { FROM, TOP_N } from "./asked-usage.ts";
import { bucketOfCalls, bucketOfRows } from "./bucket-sql.ts";
import { largestFirstBy } from "./ordered-value.ts";
import { namesOf } from "./named-items.ts";
import { unionAll } from "./union-all.ts";
import { groupColumns, grouped, levelsOf, type UsageShape } from "./usage-shape.ts";

/** Subqueries of rollup rows to add up: the columns named here, and the stored measures. */
export type RowSources = {
  /** Of both periods: `timestamp` and `type`. */
  series: Sql;
  /** Of the range: `model_id`. */
  models: Sql;
  /** Of the range: the `item` of the level that knows the groups. */
  groups: Sql;
  /** Of what the series covers, none across its edges, and of the CTE `top_items`: `timestamp` and `item`. */
  page: Sql;
};

/** What an answer adds up. */
export type Sources = {
  ctes: Sql[];
  rows: RowSources | null;
  /** Whether there is a CTE `live` of calls of both periods, summed or not: `at`, every dimension, and the stored measures. */
  hasCalls: boolean;
};

/**
 * Writes a statement that answers everything there is to add up, as rows of `UsageRow` in order of rank. `note` is one more row, or
 * none, made by `noteSql`. What has ids is added up by ids before it is named, because it has many rows and few ids.
 */
export function answerSql(shape: UsageShape, sources: Sources, note: Sql = empty): Sql {
  const isGrouped = shape.groupBy.length > 0;
  const ctes = [...sources.ctes, sumsCte(shape, sources)];
  const parts = [sumsSql, modelsSql(sources)];
  if (isGrouped) {
    ctes.push(...groupCtes(shape, sources));
    parts.push(groupsSql);
  }
  if (isGrouped && shape.hasSeries) {
    ctes.push(...cellCtes(shape, sources));
    parts.push(topSeriesSql, otherSeriesSql);
  }
  if (note !== empty) parts.push(note);
  return sql`with ${join(ctes, ", ")}
    select * from (${join(parts, " union all ")}) as answer
     order by part, rank, ${rankOrder(shape)}`;
}

/** Selects the row of an answer that says something else about it, in `key0`. */
export function noteSql(said: Sql, from: Sql): Sql {
  return sql`select 'note', null, ${said}, null, null, ${raw(STORED_COLUMNS.map(() => "null").join(", "))} ${from}`;
}

// A sum can be over rows that cancel out (a rollup taken away, its calls added): no calls left means there is nothing.
const MADE_OF_CALLS = raw("having sum8(calls) <> 0");
const sums = raw(SUMMED_STORED);
const stored = raw(STORED_LIST);

// The planner takes the rows of an answer for a few, and would sort them to group them. What has no order, such as an `xid`, can only be
// grouped by its hash.
const HASHED = raw("xid '0'");

/** Writes `sums`: of each bucket and type. */
function sumsCte(shape: UsageShape, { rows, hasCalls }: Sources): Sql {
  const placed = unionAll([
    rows && sql`select ${bucketOfRows(shape)} as bucket, type, ${stored} from (${rows.series}) as rows`,
    hasCalls &&
      sql`select ${bucketOfCalls(shape)} as bucket, ${raw(typeCode("type"))} as type, ${stored} from live`,
  ]);
  return sql`sums as materialized (
    select bucket, type, ${sums} from (${placed}) as placed group by bucket, type, ${HASHED} ${MADE_OF_CALLS})`;
}

const sumsSql = sql`
    select 'sum' as part, bucket, ${raw(typeName("type"))} as key0, null::text as key1, null::int as rank, ${stored} from sums`;

function modelsSql({ rows, hasCalls }: Sources): Sql {
  const named = unionAll([
    rows &&
      sql`select provider_id, model, ${stored}
            from (select model_id, ${sums} from (${rows.models}) as rows group by model_id, ${HASHED}) as summed
           cross join lateral ${namesOf("model", ["provider_id", "model"], "model_id")}`,
    hasCalls && sql`select provider_id, model, ${stored} from live where at >= ${FROM}`,
  ]);
  return sql`
    select 'model', null, provider_id, model, null, ${sums}
      from (${named}) as named group by provider_id, model, ${HASHED} ${MADE_OF_CALLS}`;
}

/** Writes `items`, the sums of each item in the range and the keys it belongs to, and `groups`, the sums of each pair of keys. */
function groupCtes(shape: UsageShape, { rows, hasCalls }: Sources): Sql[] {
  const { groups: level } = levelsOf(shape);
  const columns = groupColumns(shape);
  const named = unionAll([
    rows && sql`select key0, key1, ${stored} from items`,
    hasCalls && sql`select ${keysOf(shape)}, ${stored} from live where at >= ${FROM}`,
  ]);
  const groups = sql`groups as materialized (
    select key0, key1, ${sums} from (${named}) as named group by key0, key1, ${HASHED} ${MADE_OF_CALLS})`;
  if (rows === null) return [groups];
  const items = sql`items as materialized (
    select item, ${keysOf(shape)}, ${stored}
      from (select item, ${sums} from (${rows.groups}) as rows group by item, ${HASHED}) as summed
     cross join lateral ${namesOf(level, columns)})`;
  return [items, groups];
}

function keysOf(shape: UsageShape): Sql {
  const [first, second] = grouped(shape);
  return raw(`${first!.value} as key0, ${second?.value ?? "null::text"} as key1`);
}

function rankOrder({ rankBy }: UsageShape): Sql {
  return raw(`${largestFirstBy(rankBy)}, key0 collate "C", key1 collate "C"`);
}

const groupsSql = sql`select 'group', null, key0, key1, null, ${stored} from groups`;

/** Writes `top`, the groups that get a series of their own, and `cells`, their sums in each bucket. */
function cellCtes(shape: UsageShape, { rows, hasCalls }: Sources): Sql[] {
  const top = sql`top as materialized (
    select (row_number() over (order by ${rankOrder(shape)}))::int as rank, key0, key1
      from groups order by 1 limit ${TOP_N})`;
  const topItems = sql`top_items as materialized (${topItemsSql(shape)})`;
  const placed = unionAll([
    rows &&
      sql`select ${bucketOfRows(shape)} as bucket, rank, ${stored} from (${rows.page}) as rows join top_items using (item)`,
    hasCalls &&
      sql`select ${bucketOfCalls(shape)} as bucket, rank, ${stored}
            from (select *, ${keysOf(shape)} from live where at >= ${FROM}) as live join top on ${isSameKey("live")}`,
  ]);
  const cells = sql`cells as materialized (
    select bucket, rank, ${sums} from (${placed}) as placed where bucket is not null group by bucket, rank, ${HASHED} ${MADE_OF_CALLS})`;
  return rows === null ? [top, cells] : [top, topItems, cells];
}

/** The items of the top groups. All users together have rows of their own without keys: of what has one, that item is read, too. */
function topItemsSql(shape: UsageShape): Sql {
  const found = sql`select item, rank from items join top on ${isSameKey("items")}`;
  if (!shape.isEveryone || levelsOf(shape).groups !== "combo") return found;
  return sql`
    with found as materialized (${found})
    select item, rank from found
    union
    select keyless_id, rank
      from found cross join lateral (select keyless_id from model_call_combos where id = item and keyless_id is not null offset 0) as combos`;
}

/** As arrays, in which nulls are equal to each other: what can be hashed is not compared one by one. */
function isSameKey(table: string): Sql {
  return raw(`array[top.key0, top.key1] = array[${table}.key0, ${table}.key1]`);
}

const topSeriesSql = sql`select 'group_series', bucket, key0, key1, rank, ${stored} from cells join top using (rank)`;

/** All other groups of a bucket are what is left of its sums without those that have a series of their own. */
const otherSeriesSql = sql`
    select 'group_series', bucket, null, null, null, ${sums}
      from (select bucket, ${stored} from sums where bucket >= 0 union all select bucket, ${raw(NEGATED_STORED)} from cells) as rest
     group by bucket ${MADE_OF_CALLS}`;
