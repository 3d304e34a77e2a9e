import sql, { raw, type Sql } from "sql-template-tag";
import { NEGATED_STORED, STORED_OF_CALL, SUMMED_STORED } from "../layout/stored-measures.ts";
import { FINE, TIME_TYPES } from "../layout/time-types.ts";
import {
  FROM,
  FROM_QUARTER,
  PARTIAL_EDGES,
  PARTIAL_QUARTERS,
  PREVIOUS_TO,
  SPAN_FROM,
  SPAN_WEEK,
  TO,
  TO_QUARTER,
  USER,
} from "./asked-usage.ts";
import { andMatchesFilter, andMatchesIds } from "./filter-sql.ts";
import { isQuarterOfPeriods } from "./periods-sql.ts";
import { isAsked, ME, OF_USERS, TIME_TYPE } from "./asked-rows.ts";
import { groupColumns, type UsageShape } from "./usage-shape.ts";

/** Selects the change-log entries of both periods of a question: a user's, or everyone's. */
export function changesIn({ isEveryone }: UsageShape): Sql {
  const whose = isEveryone ? raw("true") : sql`user_did = ${USER}`;
  return sql`select user_did, quarter from model_call_changes where ${whose} and ${isQuarterOfPeriods("quarter")}`;
}

/** Holds where something of a user's was rolled up in the weeks of both periods; for `liveSql` of one user. */
export const IS_STORED = raw("(select is_any from stored)");

/**
 * Writes the CTEs that have what makes a user's rollup rows exact when it is added: `stale`, which takes each quarter that the change log
 * names away as it was rolled up, and `live`, which adds it again from its calls, and adds the calls of the partial edges, which no rollup
 * row covers. Coarser rows need nothing more, because they are sums of fine ones.
 *
 * Where nothing is `stored`, every call is in a quarter that the log names, or there would be a rollup of it. So both periods are read
 * as they are, and nothing is taken away: two look-ups instead of one for each quarter.
 *
 * What changed is looked up by index, bucket for bucket: OFFSET 0 keeps the planner from scanning a table whole instead,
 * as it does while its statistics still say that the table is empty.
 */
export function liveSql(shape: UsageShape): Sql[] {
  return [
    ME,
    sql`stored as materialized (
      select exists (select from model_call_stats
                      where ${isAsked(shape)} and time_type = ${raw(String(TIME_TYPES.typeWeek))}
                        and timestamp >= ${SPAN_WEEK} and timestamp < ${TO_QUARTER}) as is_any)`,
    entriesSql(shape, IS_STORED),
    sql`spans as materialized (
      select user_did, quarter as lo, quarter + interval '15 minutes' as hi from entries
      union all
      select ${USER}, lo, hi from ${PARTIAL_EDGES} where ${IS_STORED}
      union all
      select ${USER}, lo, hi from (values (${SPAN_FROM}, ${PREVIOUS_TO}), (${FROM}, ${TO})) as period(lo, hi)
       where not ${IS_STORED} and lo < hi)`,
    liveCte(callsInSpans(shape)),
    sql`stale as materialized (
      select found.*, found.timestamp >= ${FROM_QUARTER} as is_current
        from entries cross join lateral ${staleRows(isAsked(shape), shape)} as found)`,
  ];
}

/**
 * Writes the same for all users together, and for every user by themselves where `byUser`: with `user_did` in `live` and `user_id` in
 * `stale`.
 */
export function liveOfEveryoneSql(shape: UsageShape, byUser = false): Sql[] {
  const theirs = sql`user_id = users.id and slice = slice_of(entries.user_did)`;
  return [
    entriesSql(shape, raw("true")),
    sql`spans as materialized (
      select user_did, quarter as lo, quarter + interval '15 minutes' as hi from entries
      union all
      ${spansOfUsers(PARTIAL_EDGES)})`,
    liveCte(callsInSpans(shape, byUser)),
    sql`stale as materialized (
      select found.*, found.timestamp >= ${FROM_QUARTER} as is_current
        from entries
       cross join lateral (select id from model_call_users where did = entries.user_did offset 0) as users
       cross join lateral ${staleRows(theirs, { ...shape, isEveryone: false })} as found)`,
  ];
}

/** Selects whom `live` and `stale` are about, as `at`: since when in the range. */
export const LIVE_TIMES = sql`(
      select at from live where at >= ${FROM}
      union all
      select quarter_start(timestamp) from stale where is_current) as live_times`;

/** Every quarter of both periods that the log names, once. Those at partial edges are read as partial edges. */
function entriesSql(shape: UsageShape, condition: Sql): Sql {
  return sql`entries as materialized (
      select distinct user_did, quarter from (${changesIn(shape)}) as changes
       where ${condition} and quarter <> all(${PARTIAL_QUARTERS}))`;
}

/**
 * Selects whoever may have calls in some parts of time (`lo` to `hi`): every call is in a fine row of its user's or in a quarter that the
 * change log names.
 */
export function spansOfUsers(parts: Sql): Sql {
  return sql`
      select distinct user_did, lo, hi
        from ${parts} cross join lateral (
          select did as user_did
            from (select distinct user_id from model_call_stats
                   where ${OF_USERS} and ${TIME_TYPE} in ${raw(FINE)}
                     and timestamp >= quarter_number(lo) and timestamp <= quarter_number(hi - interval '1 microsecond')) as fine
           cross join lateral (select did from model_call_users where id = fine.user_id offset 0) as users
          union all
          select user_did from model_call_changes where quarter >= quarter_of(lo) and quarter < hi offset 0) as known`;
}

/** The fine rows of `entries.quarter`, negated. */
function staleRows(whose: Sql, shape: UsageShape): Sql {
  return sql`(
          select user_id, timestamp, type, model_id, item, ${raw(NEGATED_STORED)} from model_call_stats
           where ${whose} and time_type in ${raw(FINE)} and timestamp = quarter_number(entries.quarter)${andMatchesIds(shape)} offset 0)`;
}

/** Writes the CTE `live` of calls: `at`, at least the columns that the answer tells them apart by, and the stored measures. */
export function liveCte(calls: Sql): Sql {
  return sql`live as materialized (${calls})`;
}

/**
 * Sums the calls of `spans` (user_did, lo, hi) by quarter of an hour and what the answer tells apart, and perhaps by user. Each column more
 * takes time, whatever is in it: half as much again for a key and tags that nobody has.
 */
export function callsInSpans(shape: UsageShape, byUser = false): Sql {
  const user = raw(byUser ? ", user_did" : "");
  const dimensions = raw([...new Set([...ALWAYS_TOLD_APART, ...groupColumns(shape)])].join(", "));
  return sql`
      select at, ${dimensions}, ${raw(SUMMED_STORED)}${user}
        from (select greatest(quarter_of(call_time), lo) as at, calls.user_did, ${dimensions}, ${raw(STORED_OF_CALL)}
                from spans cross join lateral (
                  select * from model_calls
                   where user_did = spans.user_did and call_time >= lo and call_time < hi and voided_at is null
                     and call_time >= ${SPAN_FROM} and call_time < ${TO}${andMatchesFilter(shape)} offset 0) as calls) as calls
       group by at, ${dimensions}${user}`;
}

/** By type for the series, and by model. */
const ALWAYS_TOLD_APART = ["type", "provider_id", "model"];
