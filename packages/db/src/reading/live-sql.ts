import sql, { raw, type Sql } from "sql-template-tag";
import {
  FROM,
  PARTIAL_EDGES,
  PARTIAL_QUARTERS,
  PREVIOUS_TO,
  SPAN_FROM,
  SPAN_QUARTER,
  TO,
  USER,
  type UsageShape,
} from "./asked-usage.ts";
import { andMatchesFilter } from "./filter-sql.ts";
import { CALL_MEASURES, MEASURES, NEGATED_MEASURES, SUMMED_MEASURES } from "./measures-sql.ts";
import { isQuarterOfPeriods } from "./periods-sql.ts";
import { ALL_USERS } from "./rollup-levels.ts";

const measures = raw(MEASURES);
const negated = raw(NEGATED_MEASURES);
const dimensions = raw("type, provider_id, model, nullif(app_did, '') as app_did, status");

/** Selects the change-log entries of both periods of a question: a user's, or everyone's. */
export function changesIn({ isEveryone }: UsageShape): Sql {
  const whose = isEveryone ? raw("true") : sql`user_did = ${USER}`;
  return sql`select user_did, quarter from model_call_changes where ${whose} and ${isQuarterOfPeriods("quarter")}`;
}

/** Holds where something of a user's was rolled up in the span of both periods; for `liveSql` of one user. */
export const IS_STORED = raw("(select is_any from stored)");

/**
 * Writes the CTEs that end in `live`: what has to be added to a user's tiles to make them exact. A quarter that the change log names is
 * taken away as it was rolled up and added again from its calls; the partial edges, which no tile covers, are added from calls.
 * Coarser tiles need nothing more, because they are sums of quarters.
 *
 * Where nothing is `stored`, every call is in a quarter that the log names, or there would be a rollup of it. So both periods are read
 * as they are, and nothing is taken away: two look-ups instead of one for each quarter.
 *
 * What changed is looked up by index, bucket for bucket: OFFSET 0 keeps the planner from scanning a table whole instead,
 * as it does while its statistics still say that the table is empty.
 */
export function liveSql(shape: UsageShape): Sql[] {
  return [
    sql`stored as materialized (
      select exists (select from model_call_stats
                      where user_did = ${USER} and time_type = 'quarter' and timestamp >= ${SPAN_QUARTER} and timestamp < ${TO}) as is_any)`,
    entriesSql(shape, IS_STORED),
    sql`spans as materialized (
      select user_did, quarter as lo, quarter + interval '15 minutes' as hi from entries
      union all
      select ${USER}, lo, hi from ${PARTIAL_EDGES} where ${IS_STORED}
      union all
      select ${USER}, lo, hi from (values (${SPAN_FROM}, ${PREVIOUS_TO}), (${FROM}, ${TO})) as period(lo, hi)
       where not ${IS_STORED} and lo < hi)`,
    sql`live as materialized (
      ${callsInSpans(shape)}
      union all
      ${staleRows(shape)})`,
  ];
}

/**
 * Writes the same for all users together, which holds for every user; and a quarter of all users that is not yet the sum of the users'
 * (logged under '') is replaced by that sum first.
 */
export function liveOfEveryoneSql(shape: UsageShape): Sql[] {
  return [
    entriesSql(shape, raw("true")),
    spansOfUsersSql,
    sql`live as materialized (
      ${callsInSpans(shape)}
      union all
      ${staleRows(shape)}
      union all
      select timestamp, ${dimensions}, ${measures}
        from entries cross join lateral (
          select * from model_call_detail_stats
           where time_type = 'quarter' and timestamp = entries.quarter and user_did <> ${ALL_USERS}${andMatchesFilter(shape)} offset 0) as users
       where entries.user_did = ${ALL_USERS})`,
  ];
}

/**
 * Writes the same for every user by themselves: the CTEs that end in `live`, with `user_did`, to be added to the users' own tiles.
 */
export function liveByUserSql(shape: UsageShape): Sql[] {
  return [
    entriesSql(shape, sql`user_did <> ${ALL_USERS}`),
    spansOfUsersSql,
    sql`live as materialized (
      ${callsInSpans(shape, true)}
      union all
      ${staleRows(shape, true)})`,
  ];
}

/** Every quarter of both periods that the log names, once. Those at partial edges are read as partial edges. */
function entriesSql(shape: UsageShape, condition: Sql): Sql {
  return sql`entries as materialized (
      select distinct user_did, quarter from (${changesIn(shape)}) as changes
       where ${condition} and quarter <> all(${PARTIAL_QUARTERS}))`;
}

// Every call of a quarter is either in a rollup of its user's or in the change log, so these are all who can have one.
const spansOfUsersSql = sql`spans as materialized (
      select user_did, quarter as lo, quarter + interval '15 minutes' as hi from entries where user_did <> ${ALL_USERS}
      union all
      select distinct user_did, lo, hi
        from ${PARTIAL_EDGES} cross join lateral (
          select user_did from model_call_stats where time_type = 'quarter' and timestamp = quarter_of(lo)
          union all
          select user_did from model_call_changes where quarter = quarter_of(lo) offset 0) as known
       where user_did <> ${ALL_USERS})`;

/** Takes the quarters of `entries` away as they were rolled up. */
function staleRows(shape: UsageShape, byUser = false): Sql {
  return sql`select timestamp, ${dimensions}, ${negated}${raw(byUser ? ", stale.user_did" : "")}
        from entries cross join lateral (
          select * from model_call_detail_stats
           where user_did = entries.user_did and time_type = 'quarter' and timestamp = entries.quarter${andMatchesFilter(shape)} offset 0) as stale`;
}

/** Sums the calls of `spans` (user_did, lo, hi) by quarter of an hour and dimensions, and perhaps by user. */
export function callsInSpans(shape: UsageShape, byUser = false): Sql {
  const user = raw(byUser ? ", user_did" : "");
  return sql`
      select at, ${dimensions}, ${raw(SUMMED_MEASURES)}${user}
        from (select greatest(quarter_of(call_time), lo) as at, calls.user_did, type, provider_id, model, app_did, status, ${raw(CALL_MEASURES)}
                from spans cross join lateral (
                  select * from model_calls
                   where user_did = spans.user_did and call_time >= lo and call_time < hi and voided_at is null
                     and call_time >= ${SPAN_FROM} and call_time < ${TO}${andMatchesFilter(shape)} offset 0) as calls) as calls
       group by 1, 2, 3, 4, app_did, status${user}`;
}
