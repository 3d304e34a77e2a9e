import { type RankedAggregateQuery, type RankedBy } from "@usage-stats/core";
import { orderedValue } from "./ordered-value.ts";
import sql, { join, raw, type Sql } from "sql-template-tag";
import { isoText } from "./instant-sql.ts";
import { STORED_LIST, SUMMED_STORED } from "../layout/stored-measures.ts";

/** The columns that make the key of a ranking; a key holds no null, so that it can be compared. */
const RANKING_KEYS: Record<RankedBy, { key0: Sql; key1: Sql }> = {
  user: { key0: raw("user_did"), key1: raw("''") },
  app: { key0: raw("coalesce(app_did, '')"), key1: raw("''") },
  model: { key0: raw("provider_id"), key1: raw("model") },
};

/**
 * Ends a statement that ranks `source`, which has the columns of the key and the stored measures: a page of `item`s, what was
 * `matched` by the search, and the `total`; and since when it was made of calls.
 */
export function rankingSql(
  query: RankedAggregateQuery,
  { ctes, source, liveFrom }: { ctes: Sql[]; source: Sql; liveFrom: Sql },
  collation: Sql,
): Sql {
  const { by, orderBy, direction, limit } = query;
  const { key0, key1 } = RANKING_KEYS[by];
  const order = raw(`value ${direction}, key0 collate "C", key1 collate "C"`);
  const grouped = sql`grouped as materialized (
      select ${key0} as key0, ${key1} as key1, ${raw(SUMMED_STORED)}
        from (${source}) as source group by 1, 2 having sum8(calls) <> 0)`;
  return sql`with ${join([...ctes, grouped], ", ")},
    matched as materialized (
      select *, (${raw(orderedValue(orderBy))})::numeric as value from grouped where ${matches(query, collation)}),
    page as (
      select * from matched where ${isAfter(query)} order by ${order} limit ${limit})
    ${pageSql(direction, {
      matched: sql`select 'matched', count(*), null, null, null, ${raw(SUMMED_STORED)} from matched`,
      total: sql`select 'total', count(*), null, null, null, ${raw(SUMMED_STORED)} from grouped`,
      liveFrom,
    })}`;
}

/** Selects the rows of an answer: of the CTE `page`, and those that say what was matched, and everything. */
export function pageSql(
  direction: RankedAggregateQuery["direction"],
  { matched, total, liveFrom }: { matched: Sql; total: Sql; liveFrom: Sql },
): Sql {
  return sql`
    select *, ${isoText(liveFrom)} as live_from from (
      select 'item' as part, null::bigint as count, key0, key1, value::text, ${raw(STORED_LIST)} from page
      union all
      ${matched}
      union all
      ${total}) as answer
     order by part, value::numeric ${raw(direction)}, key0 collate "C", key1 collate "C"`;
}

/** A part of a name, in whatever case, without any wildcards. */
function matches({ by, search }: RankedAggregateQuery, collation: Sql): Sql {
  if (search === null) return raw("true");
  const name = raw(by === "model" ? "(key0 || '/' || key1)" : "key0");
  return sql`strpos(lower(${name}${collation}), lower(${search}::text${collation})) > 0`;
}

function isAfter({ after, direction }: RankedAggregateQuery): Sql {
  if (after === null) return raw("true");
  const { value, key } = after;
  return isBehind(direction, {
    value: sql`${value}::numeric`,
    key0: sql`${key[0]}::text`,
    key1: sql`${key[1]}::text`,
  });
}

/** Holds where `value`, `key0` and `key1` come after a place. */
export function isBehind(
  direction: RankedAggregateQuery["direction"],
  { value, key0, key1 }: { value: Sql; key0: Sql; key1: Sql },
): Sql {
  return sql`(value ${raw(direction === "desc" ? "<" : ">")} ${value}
          or (value = ${value} and (key0 collate "C", key1 collate "C") > (${key0}, ${key1})))`;
}
