import { type RankedBy, type RankingQuestion } from "@usage-stats/core";
import { type Sql, sql, trusted } from "../sql-fragment.ts";
import { isoText } from "./iso-text.ts";
import { MEASURES, orderedValue, SUMMED_MEASURES } from "./measures-sql.ts";

/** The columns that make the key of a ranking; a key holds no null, so that it can be compared. */
const RANKING_KEYS: Record<RankedBy, { key0: Sql; key1: Sql }> = {
  user: { key0: trusted("user_did"), key1: trusted("''") },
  app: { key0: trusted("coalesce(app_did, '')"), key1: trusted("''") },
  model: { key0: trusted("provider_id"), key1: trusted("model") },
};

/**
 * The end of a statement that ranks `source`, which has the columns of the key and the measures: a page of `item`s, what was
 * `matched` by the search, and the `total`; and since when it was made of calls.
 */
export function rankingSql(
  question: RankingQuestion,
  { ctes, source, liveFrom }: { ctes: Sql; source: Sql; liveFrom: Sql },
  collation: Sql,
): Sql {
  const { by, orderBy, direction, limit } = question;
  const { key0, key1 } = RANKING_KEYS[by];
  const measures = trusted(MEASURES);
  const order = trusted(`value ${direction}, key0 collate "C", key1 collate "C"`);
  return sql`with ${ctes}
    grouped as materialized (
      select ${key0} as key0, ${key1} as key1, ${trusted(SUMMED_MEASURES)}
        from (${source}) as source group by 1, 2 having sum(calls) <> 0),
    matched as materialized (
      select *, (${trusted(orderedValue(orderBy))})::numeric as value from grouped where ${matches(question, collation)}),
    page as (
      select * from matched where ${isAfter(question)} order by ${order} limit ${limit})
    select *, ${isoText(liveFrom)} as live_from from (
      select 'item' as part, null::bigint as count, key0, key1, value::text, ${measures} from page
      union all
      select 'matched', count(*), null, null, null, ${trusted(SUMMED_MEASURES)} from matched
      union all
      select 'total', count(*), null, null, null, ${trusted(SUMMED_MEASURES)} from grouped) as answer
     order by part, value::numeric ${trusted(direction)}, key0 collate "C", key1 collate "C"`;
}

/** A part of a name, in whatever case, without any wildcards. */
function matches({ by, search }: RankingQuestion, collation: Sql): Sql {
  if (search === null) return trusted("true");
  const name = trusted(by === "model" ? "(key0 || '/' || key1)" : "key0");
  return sql`strpos(lower(${name}${collation}), lower(${search}::text${collation})) > 0`;
}

function isAfter({ after, direction }: RankingQuestion): Sql {
  if (after === null) return trusted("true");
  const { value, key } = after;
  return sql`(value ${trusted(direction === "desc" ? "<" : ">")} ${value}::numeric
          or (value = ${value}::numeric and (key0 collate "C", key1 collate "C") > (${key[0]}::text, ${key[1]}::text)))`;
}
