import { startOfGrain, type TimeRange, type AggregateQuery } from "@usage-stats/core";
import sql, { empty, raw, type Sql } from "sql-template-tag";
import { instant, instants } from "./instant-sql.ts";
import { andMatches } from "./filter-sql.ts";
import { andNotBetweenPeriods, spanOf } from "./periods-sql.ts";
import { CALL_MEASURES, MEASURES, NEGATED_MEASURES, SUMMED_MEASURES } from "./measures-sql.ts";
import { ALL_USERS } from "./rollup-levels.ts";

const measures = raw(MEASURES);
const dimensions = raw("type, provider_id, model, nullif(app_did, '') as app_did, status");

/** Selects the change-log entries of both periods of a query: a user's, or everyone's. */
export function changesIn(query: AggregateQuery): Sql {
  const { userDid } = query;
  const { from, to } = spanOf(query);
  const whose = userDid === null ? raw("true") : sql`user_did = ${userDid}`;
  return sql`select user_did, quarter from model_call_changes
              where ${whose} and quarter >= ${instant(startOfGrain(from, "quarter"))} and quarter < ${instant(to)}${andNotBetweenPeriods("quarter", query)}`;
}

/**
 * Writes the CTEs that end in `live`: what has to be added to the tiles of a span of time to make them exact. A quarter that the change log
 * names is taken away as it was rolled up and added again from its calls; the partial edges, which no tile covers, are
 * added from calls. Coarser tiles need nothing more, because they are sums of quarters.
 *
 * For all users together the same holds for every user; and a quarter of all users that is not yet the sum of the users'
 * (logged under '') is replaced by that sum first.
 *
 * What changed is looked up by index, bucket for bucket: OFFSET 0 keeps the planner from scanning a table whole instead,
 * as it does while its statistics still say that the table is empty.
 */
export function liveSql(query: AggregateQuery, partialEdges: TimeRange[]): Sql {
  const { userDid, filter } = query;
  const everyone = userDid === null;
  const partialQuarters = partialQuartersOf(partialEdges);
  const whose = everyone ? sql`user_did <> ${ALL_USERS}` : sql`user_did = ${userDid}`;
  const matches = andMatches(filter);
  return sql`
    entries as materialized (
      select distinct user_did, quarter from (${changesIn(query)}) as changes
       where quarter <> all(${partialQuarters}::timestamptz[])),
    ${partialEdgesSql(partialEdges)},
    spans as materialized (
      select user_did, quarter as lo, quarter + interval '15 minutes' as hi from entries where ${whose}
      union all
      ${everyone ? usersOfPartialEdges : sql`select ${userDid}, lo, hi from partial_edges`}),
    live as materialized (
      ${callsInSpans(query)}
      union all
      select timestamp, ${dimensions}, ${raw(NEGATED_MEASURES)}
        from entries cross join lateral (
          select * from model_call_detail_stats
           where user_did = entries.user_did and time_type = 'quarter' and timestamp = entries.quarter${matches} offset 0) as stale
      ${
        everyone
          ? sql`
      union all
      select timestamp, ${dimensions}, ${measures}
        from entries cross join lateral (
          select * from model_call_detail_stats
           where time_type = 'quarter' and timestamp = entries.quarter and ${whose}${matches} offset 0) as users
       where entries.user_did = ${ALL_USERS}`
          : empty
      })`;
}

/**
 * Writes the same for every user by themselves: the CTEs that end in `live`, with `user_did`, to be added to the users' own tiles.
 */
export function liveByUserSql(query: AggregateQuery, partialEdges: TimeRange[]): Sql {
  return sql`
    entries as materialized (
      select distinct user_did, quarter from (${changesIn(query)}) as changes
       where user_did <> ${ALL_USERS} and quarter <> all(${partialQuartersOf(partialEdges)}::timestamptz[])),
    ${partialEdgesSql(partialEdges)},
    spans as materialized (
      select user_did, quarter as lo, quarter + interval '15 minutes' as hi from entries
      union all
      ${usersOfPartialEdges}),
    live as materialized (
      ${callsInSpans(query, true)}
      union all
      select timestamp, ${dimensions}, ${raw(NEGATED_MEASURES)}, user_did
        from entries cross join lateral (
          select type, provider_id, model, app_did, status, timestamp, ${measures} from model_call_detail_stats
           where user_did = entries.user_did and time_type = 'quarter' and timestamp = entries.quarter${andMatches(query.filter)} offset 0) as stale)`;
}

function partialEdgesSql(partialEdges: TimeRange[]): Sql {
  return sql`partial_edges as (
      select lo, hi, quarter_of(lo) as quarter
        from unnest(${instants(partialEdges.map((end) => end.from))}::timestamptz[], ${instants(partialEdges.map((end) => end.to))}::timestamptz[]) as ends(lo, hi))`;
}

function partialQuartersOf(partialEdges: TimeRange[]): string[] {
  return instants(partialEdges.map(({ from }) => startOfGrain(from, "quarter")));
}

/** Sums the calls of `spans` (user_did, lo, hi) by quarter of an hour and dimensions, and perhaps by user. */
export function callsInSpans(query: AggregateQuery, byUser = false): Sql {
  const { from, to } = spanOf(query);
  const user = raw(byUser ? ", user_did" : "");
  return sql`
      select at, ${dimensions}, ${raw(SUMMED_MEASURES)}${user}
        from (select greatest(quarter_of(call_time), lo) as at, calls.user_did, type, provider_id, model, app_did, status, ${raw(CALL_MEASURES)}
                from spans cross join lateral (
                  select * from model_calls
                   where user_did = spans.user_did and call_time >= lo and call_time < hi and voided_at is null
                     and call_time >= ${instant(from)} and call_time < ${instant(to)}${andMatches(query.filter)} offset 0) as calls) as calls
       group by 1, 2, 3, 4, app_did, status${user}`;
}

// Every call of a quarter is either in a rollup of its user's or in the change log, so these are all who can have one.
const usersOfPartialEdges = sql`
      select distinct user_did, lo, hi
        from partial_edges cross join lateral (
          select user_did from model_call_stats where time_type = 'quarter' and timestamp = partial_edges.quarter
          union all
          select user_did from model_call_changes where quarter = partial_edges.quarter offset 0) as known
       where user_did <> ${ALL_USERS}`;
