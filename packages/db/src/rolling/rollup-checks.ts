import { type RollupScope, type TimeRange } from "@usage-stats/core";
import { instant } from "../reading/instant-sql.ts";
import {
  CALL_MEASURES,
  MEASURE_COLUMNS,
  MEASURES,
  SUMMED_MEASURES_OF_ANY_SIZE,
} from "../reading/measures-sql.ts";
import { ALL_USERS, type Level, LEVELS } from "../reading/rollup-levels.ts";
import sql, { join, raw, type Sql } from "sql-template-tag";
import { isFrozen } from "./frozen-quarters.ts";
import { inScope } from "./rollup-scope.ts";

const sums = raw(SUMMED_MEASURES_OF_ANY_SIZE);
const measures = raw(MEASURES);
const names = (columns: string[]) => raw(columns.join(", "));
const own = raw("user_did");
const at = raw("timestamp");

/**
 * Builds statements that compare rollups of a scope with what they are made of: quarters with their calls, every level with the next wider,
 * hours with their quarters, days with their hours, and all users with the sum of each. Each answers how many rows it `compared`,
 * and beside it a `RollupDifference`, or one whose `table` is null. `days` are whole UTC days of one month that hold the scope's range.
 * What is frozen is not compared with calls: `areCallsGone` says that the whole month is, though nobody noticed yet.
 */
export function rollupChecks(scope: RollupScope, days: TimeRange, areCallsGone: boolean): Sql[] {
  const [detail, ...narrower] = LEVELS.toReversed() as [Level, ...Level[]];
  // Sums are of whole buckets, so their sources are cut at days only; `compare` leaves out what is not in the scope.
  const source = { ...scope, range: days };
  const rows = ({ table, dimensions }: Level, grain: string, whose = raw("true")) => sql`
    select user_did, timestamp as start, ${names(dimensions)}, ${measures} from ${raw(table)}
     where time_type = ${grain} and ${whose} and ${inScope(source, "user_did", "timestamp")}`;
  const summed = ({ dimensions }: Level, user: Sql, start: Sql, from: Sql) => sql`
    select ${user} as user_did, ${start} as start, ${names(dimensions)}, ${sums} from (${from}) as source group by 1, 2, ${names(dimensions)}`;
  const allRows = ({ table }: Level, grain: string) =>
    sql`select * from ${raw(table)} where time_type = ${grain} and ${inScope(source, "user_did", "timestamp")}`;
  const single = sql`user_did <> ${ALL_USERS}`;

  const calls = sql`
    select user_did, quarter_of(call_time) as timestamp, type, provider_id, model, coalesce(app_did, '') as app_did, status, ${raw(CALL_MEASURES)}
      from model_calls where voided_at is null and ${inScope(source, "user_did", "call_time")}`;
  const checks = [
    compare(scope, detail, "quarter", summed(detail, own, at, calls), rows(detail, "quarter", single), [
      notWaiting,
      sql`not ${areCallsGone ? raw("true") : isFrozen("key.user_did", "key.start")}`,
    ]),
    ...narrower.map((level, i) => {
      const wider = [detail, ...narrower][i]!;
      return compare(
        scope,
        level,
        "quarter",
        summed(level, own, at, allRows(wider, "quarter")),
        rows(level, "quarter"),
      );
    }),
    ...LEVELS.flatMap((level) => {
      const hour = sql`date_trunc('hour', timestamp, 'UTC')`;
      const day = sql`date_trunc('day', timestamp, 'UTC')`;
      return [
        compare(
          scope,
          level,
          "hour",
          summed(level, own, hour, allRows(level, "quarter")),
          rows(level, "hour"),
        ),
        compare(scope, level, "day", summed(level, own, day, allRows(level, "hour")), rows(level, "day")),
      ];
    }),
  ];
  if (scope.userDid !== undefined) return checks;
  const everyone = sql`${ALL_USERS}::text`;
  const users = sql`${allRows(detail, "quarter")} and ${single}`;
  const together = rows(detail, "quarter", sql`user_did = ${ALL_USERS}`);
  return [
    ...checks,
    compare(scope, detail, "quarter", summed(detail, everyone, at, users), together, [notWaiting]),
  ];
}

const notWaiting = raw(
  "not exists (select from model_call_changes as changed where changed.user_did = key.user_did and changed.quarter = key.start)",
);

function compare(
  scope: RollupScope,
  { table, dimensions }: Level,
  grain: string,
  expected: Sql,
  found: Sql,
  conditions: Sql[] = [],
): Sql {
  const key = ["user_did", "start", ...dimensions];
  const values = (side: string) =>
    raw(`jsonb_build_object(${MEASURE_COLUMNS.map((name) => `'${name}', (${side}).${name}`).join(", ")})`);
  const columnsOf = (side: string) => names(MEASURE_COLUMNS.map((name) => `${side}.${name}`));
  return sql`
    with compared as materialized (
      select key.user_did, key.start, ${names(dimensions)}, e, f, (${columnsOf("e")}) is distinct from (${columnsOf("f")}) as differs
        from (${expected}) as e full join (${found}) as f using (${names(key)})
       cross join lateral (select coalesce(e.user_did, f.user_did) as user_did, coalesce(e.start, f.start) as start) as key
       where ${join([inScope(scope, "key.user_did", "key.start"), ...conditions], " and ")})
    select counted.compared, difference.*
      from (select count(*) as compared from compared) as counted
      left join (
        select ${table} as "table", ${grain} as grain, user_did as "userDid", to_char(start at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS"+00"') as start,
               jsonb_build_object(${names(dimensions.map((name) => `'${name}', ${name}`))}) as dimensions,
               case when e is null then null else ${values("e")} end as expected,
               case when f is null then null else ${values("f")} end as found
          from compared where differs) as difference on true
     order by start, "userDid"`;
}

/** Answers `missing`, whether no partition holds anything of a month, and `frozen`, how many quarters of users in days of it are not compared with calls. */
export function frozenIn(scope: RollupScope, days: TimeRange): Sql {
  const quarters = sql`
    select distinct rollup.user_did, rollup.timestamp from model_call_stats as rollup
     where rollup.time_type = 'quarter' and rollup.user_did <> ${ALL_USERS} and ${inScope(scope, "rollup.user_did", "rollup.timestamp")}
       and ${inScope({ range: days }, "rollup.user_did", "rollup.timestamp")}
       and (month.missing or ${isFrozen("rollup.user_did", "rollup.timestamp")})`;
  return sql`
    select month.missing, case when month.missing or month.frozen then (select count(*) from (${quarters}) as quarters) else 0 end as frozen
      from (select not has_model_calls_partition(start) as missing,
                   exists (select from model_call_frozen_months as frozen where frozen.month = start) as frozen
              from (select date_trunc('month', ${instant(days.from)}::timestamptz, 'UTC') as start) as first_day) as month`;
}

/** Asks how far there is anything to compare, and whose: `first` and `last` instants (null for none) in milliseconds, `users`, and quarters that are `waiting`. */
export function extentOf(scope: RollupScope): Sql {
  const milliseconds = (time: string) => raw(`(extract(epoch from ${time}) * 1000)::bigint`);
  return sql`
    with calls as (
      select min(call_time) as first, max(call_time) as last from model_calls where ${inScope(scope, "user_did", "call_time")}),
    rollups as (
      select min(first) as first, max(last) as last from (${join(
        LEVELS.map(
          ({ table }) =>
            sql`select min(timestamp) as first, max(timestamp) as last from ${raw(table)} where ${inScope(scope, "user_did", "timestamp")}`,
        ),
        " union all ",
      )}) as levels),
    entries as (
      select distinct user_did, quarter from model_call_changes where ${inScope(scope, "user_did", "quarter")})
    select ${milliseconds("least(calls.first, rollups.first)")} as first, ${milliseconds("greatest(calls.last, rollups.last)")} as last,
           (select count(*) from (
              select user_did from model_call_stats where time_type = 'quarter' and user_did <> ${ALL_USERS} and ${inScope(scope, "user_did", "timestamp")}
              union select user_did from entries where user_did <> ${ALL_USERS}) as known) as users,
           (select count(*) from entries where quarter < quarter_of(clock_timestamp())) as waiting
      from calls cross join rollups`;
}

/** Lists the whole UTC days that hold a range, in pieces of a month at the most. */
export function daysByMonth({ from, to }: TimeRange): TimeRange[] {
  const dayOf = (time: number) => Math.floor(time / DAY_MS) * DAY_MS;
  const end = dayOf(to.getTime() - 1) + DAY_MS;
  const pieces: TimeRange[] = [];
  for (let start = dayOf(from.getTime()); start < end;) {
    const date = new Date(start);
    const next = Math.min(end, Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1));
    pieces.push({ from: date, to: new Date(next) });
    start = next;
  }
  return pieces;
}

const DAY_MS = 86_400_000;
