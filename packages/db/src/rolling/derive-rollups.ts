import sql, { raw, type Sql } from "sql-template-tag";
import { type SqlSession } from "../connection/session.ts";
import { DENSE_FROM, EVERYONE, EVERYONE_DENSE_FROM, FINE } from "../layout/time-types.ts";
import { KEPT_SUMS, STORED_LIST } from "../layout/stored-measures.ts";

/** Quarters of an hour since 1970, from one to another, half-open; both begin weeks. */
export type Weeks = { from: number; to: number };

/**
 * Makes everything of some whole weeks of a slice anew that follows from the users' fine rows: which of these are of dense days and weeks,
 * the coarser rows, and the rows of all users together.
 */
export async function deriveRollups(session: SqlSession, slice: number, weeks: Weeks): Promise<void> {
  const inWeeks = sql`slice = ${slice}::int2 and timestamp >= ${weeks.from}::int and timestamp < ${weeks.to}::int`;
  const statements = [
    sql`delete from model_call_stats where time_type not in ${raw(FINE)} and ${inWeeks}`,
    sql`delete from model_call_stats where user_id = ${EVERYONE} and time_type in ${raw(FINE)} and ${inWeeks}`,
    retagFineRows(inWeeks),
    sql`insert into model_call_stats (${raw(COLUMNS)})
        select ${EVERYONE}, 2, fine.slice, timestamp, coalesce(keyless_id, item), fine.type, fine.model_id, ${raw(KEPT_SUMS)}
          from (select *, count(*) over (partition by day_start(timestamp)) as in_day
                  from model_call_stats where time_type in ${raw(FINE)} and user_id <> ${EVERYONE} and ${inWeeks}) as fine
          join model_call_combos as combo on combo.id = item
         where in_day >= ${EVERYONE_DENSE_FROM}::int
         group by fine.slice, timestamp, coalesce(keyless_id, item), fine.type, fine.model_id`,
    sql`insert into model_call_stats (${raw(COLUMNS)}) ${coarseOf(sql`
          select ${EVERYONE}::int as user_id, 2 as time_type, fine.slice, timestamp, coalesce(keyless_id, item) as item, fine.type, fine.model_id, ${raw(STORED_LIST)}
            from model_call_stats as fine join model_call_combos as combo on combo.id = item
           where time_type in ${raw(FINE)} and user_id <> ${EVERYONE} and ${inWeeks}`)}`,
    sql`insert into model_call_stats (${raw(COLUMNS)}) ${coarseOf(sql`select * from model_call_stats where time_type in ${raw(FINE)} and user_id <> ${EVERYONE} and ${inWeeks}`)}`,
  ];
  for (const statement of statements) await session.execute(statement);
}

/** The columns of rollups as `coarseOf` selects them. */
export const COLUMNS = `user_id, time_type, slice, timestamp, item, type, model_id, ${STORED_LIST}`;

/** Selects the coarser rows that fine rows belong in, as their `time_type` says. */
export function coarseOf(fine: Sql): Sql {
  return sql`
    select user_id, coarse.time_type, slice, coarse.timestamp, coarse.item, type, case when coarse.time_type >= 7 then model_id end, ${raw(KEPT_SUMS)}
      from (${fine}) as fine
     cross join lateral (values
       (4::int2, fine.timestamp / 4 * 4, fine.type::int, 2), (5, day_start(fine.timestamp), fine.type, 2),
       (6, week_start(fine.timestamp), fine.type, 0), (7, day_start(fine.timestamp), fine.model_id, 2),
       (8, week_start(fine.timestamp), fine.model_id, 1), (9, day_start(fine.timestamp), fine.item, 2),
       (10, week_start(fine.timestamp), fine.item, 1)) as coarse(time_type, timestamp, item, least)
     where fine.time_type >= coarse.least
     group by user_id, coarse.time_type, slice, coarse.timestamp, coarse.item, type, case when coarse.time_type >= 7 then model_id end
    having sum8(calls) <> 0`;
}

function retagFineRows(inWeeks: Sql): Sql {
  return sql`
    with fine as materialized (
      select user_id, time_type, slice, timestamp, day_start(timestamp) as day, week_start(timestamp) as week, item
        from model_call_stats where user_id <> ${EVERYONE} and time_type in ${raw(FINE)} and ${inWeeks}),
    days as (select user_id, day, count(*) as n from fine group by user_id, day),
    weeks as (select user_id, week, count(*) as n from fine group by user_id, week),
    tagged as (
      select fine.*, case when days.n >= ${DENSE_FROM} then 2 when weeks.n >= ${DENSE_FROM} then 1 else 0 end as tag
        from fine join days using (user_id, day) join weeks using (user_id, week))
    update model_call_stats as stats set time_type = tag from tagged
     where tag <> tagged.time_type and stats.user_id = tagged.user_id and stats.time_type = tagged.time_type
       and stats.slice = tagged.slice and stats.timestamp = tagged.timestamp and stats.item = tagged.item`;
}
