import { type RankingMetric } from "@usage-stats/core";
import sql, { join, raw, type Sql } from "sql-template-tag";
import { STORED_LIST, SUMMED_STORED } from "../layout/stored-measures.ts";
import { TIME_TYPES } from "../layout/time-types.ts";
import { type WeekOrder } from "../layout/week-orders.ts";
import {
  AFTER,
  CANDIDATES,
  DEPTH,
  LIMIT,
  NAMED,
  TYPES,
  USERS_FINE_LOOK_UPS,
  WEEKS,
} from "./ask-threshold.ts";
import { lookedUp, OF_USERS } from "./asked-rows.ts";
import { SERIES_LOOK_UPS } from "./asked-usage.ts";
import { andMatchesIds } from "./filter-sql.ts";
import { changesIn, LIVE_TIMES, liveOfEveryoneSql } from "./live-sql.ts";
import { orderedValue } from "./ordered-value.ts";
import { isBehind, pageSql } from "./ranking-sql.ts";
import { countCtes } from "./count-users-sql.ts";
import { fineCte, rowsOfParts } from "./tile-rows.ts";
import { type UsageShape } from "./usage-shape.ts";

/** What the text of a statement depends on. `usage` is the shape of the question about all users together. */
export type ThresholdShape = { usage: UsageShape; orderBy: RankingMetric; isFirst: boolean };

const stored = raw(STORED_LIST);
const sums = raw(SUMMED_STORED);
// What has no order can only be grouped by its hash, which is faster than putting names in order.
const HASHED = raw("xid '0'");
const IS_RIGHT = raw("(select is_right from verdict)");

/**
 * Writes a statement that ranks users, the largest first, without adding up all of them: R. Fagin, A. Lotem, M. Naor: Optimal aggregation
 * algorithms for middleware (2003). The largest sums of each week and type name the candidates, of whom the sums of the range are looked up.
 * Nobody else can have more than the last of each list together, nor a candidate more than what is in the lists and the last of the others;
 * so a page is right whose last value is larger than that. It must be larger, because equals are in the order of their names, which lists do not know.
 * Users of whom something changed are candidates always. There are no rows where the page may be wrong.
 */
export function thresholdSql({ usage, orderBy, isFirst }: ThresholdShape, order: WeekOrder): Sql {
  const ctes = [
    ...liveOfEveryoneSql(usage, true),
    namedCte(usage),
    ...listCtes(order),
    candidatesCte,
    sumsCte(usage),
    sql`page as materialized (
      select * from (select *, '' as key1, (${raw(orderedValue(orderBy))})::numeric as value from sums) as valued
       where ${isFirst ? raw("true") : isBehind("desc", AFTER)}
       order by value desc, key0 collate "C" limit ${LIMIT})`,
    verdictCte,
    fineCte(usage, IS_RIGHT),
    totalCte(usage),
    ...countCtes(usage, IS_RIGHT),
  ];
  const answered = (part: string) =>
    sql`select ${raw(`'${part}'`)}, count, null, null, null, ${stored} from total cross join counted where ${IS_RIGHT}`;
  const liveFrom = sql`select min(at) from ${LIVE_TIMES}`;
  const answer = pageSql("desc", { matched: answered("matched"), total: answered("total"), liveFrom });
  return sql`with ${join(ctes, ", ")} select * from (${answer}) as answer where ${IS_RIGHT}`;
}

/** Whom the change log names in the range: everything of theirs may differ from their rows. */
function namedCte(usage: UsageShape): Sql {
  return sql`named as materialized (
      select user_did, id as user_id
        from (select distinct user_did from (${changesIn(usage)}) as changes limit ${NAMED} + 1) as changed
       cross join lateral (select (select id from model_call_users where did = user_did) as id offset 0) as users)`;
}

/** Writes `lists`, the largest of each week and type; `ends`, the most that anybody else has there; and `likely`, the most that each of them has. */
function listCtes({ value, order }: WeekOrder): Sql[] {
  return [
    sql`lists as materialized (
      select week, code, found.* from unnest(${WEEKS}) as week cross join unnest(${TYPES}) as code cross join lateral (
        select user_id, coalesce(${raw(value)}, 0) as value from model_call_stats
         where time_type = ${raw(String(TIME_TYPES.typeWeek))} and ${OF_USERS} and timestamp = week and item = code
         order by ${raw(order)} limit ${DEPTH}) as found)`,
    // Somebody without a row has zero.
    sql`ends as materialized (
      select week, code, count(*) = ${DEPTH} as is_cut, case when count(*) = ${DEPTH} then greatest(min(value), 0) else 0 end as least
        from lists group by week, code)`,
    sql`rest as materialized (select coalesce(sum(least), 0) as at_most, coalesce(bool_or(is_cut), false) as is_cut from ends)`,
    sql`likely as materialized (
      select user_id, rest.at_most + sum(value - least) as at_most
        from lists join ends using (week, code) cross join rest
       where value > least or not ends.is_cut
       group by user_id, rest.at_most order by at_most desc limit ${CANDIDATES} + 1)`,
  ];
}

const candidatesCte = sql`candidates as materialized (
      select user_id, did
        from (select user_id from likely order by at_most desc limit ${CANDIDATES}) as first
       cross join lateral (select did from model_call_users where id = first.user_id offset 0) as users
       where (select count(*) from named) <= ${NAMED}
      union
      select user_id, user_did from named where (select count(*) from named) <= ${NAMED})`;

/** Writes `sums`, of each candidate in the range. */
function sumsCte(usage: UsageShape): Sql {
  const theirs = sql`user_id = candidates.user_id and slice = slice_of(candidates.did)${andMatchesIds({ ...usage, isEveryone: false })}`;
  const rows = (lookUps: Sql) =>
    sql`select did, ${stored} from candidates cross join lateral (${lookedUp("timestamp", lookUps, theirs)}) as rows`;
  return sql`sums as materialized (
      select did as key0, ${sums} from (
        ${rows(SERIES_LOOK_UPS)}
        union all
        ${rows(USERS_FINE_LOOK_UPS)}
        union all
        select did, ${stored} from stale join candidates using (user_id)
        union all
        select did, ${stored} from candidates join live on user_did = did) as rows
       group by did, ${HASHED} having sum8(calls) <> 0)`;
}

/** Everybody is a candidate, or whoever is not has less than the last on a full page. */
const verdictCte = sql`verdict as materialized (
      select (select count(*) from named) <= ${NAMED}
         and ((not rest.is_cut and left_out.at_most is null)
              or (select count(*) = ${LIMIT} and min(value) > greatest(rest.at_most, left_out.at_most) from page)) as is_right
        from rest
        left join (select at_most from likely order by at_most desc offset ${CANDIDATES}) as left_out on true)`;

/** What everybody used in the range, from the rows of all users together. */
function totalCte(usage: UsageShape): Sql {
  const { series } = rowsOfParts(usage, { onlyIf: IS_RIGHT, hasStale: true });
  return sql`total as materialized (
      select ${sums} from (
        select ${stored} from (${series}) as rows
        union all
        select ${stored} from live where ${IS_RIGHT}) as rows)`;
}
