import { type SqlSession } from "../connection/session.ts";
import { DENSE_FROM, TIME_TYPES } from "../layout/time-types.ts";
import sql, { raw } from "sql-template-tag";
import { ROLLED_ROW, SOURCE } from "./rolled-rows.ts";
import { STORED_LIST } from "../layout/stored-measures.ts";

const { fineOfSparseWeek, fineOfSparseDay, fineOfDenseDay, typeDay, modelWeek } = TIME_TYPES;

/**
 * Finds how dense the days of `rolled_rows` were and become (a `time_type` of fine rows), and those of weeks that become dense with them;
 * then moves the fine rows that stay there to what their day becomes, noting them as `kept`. What goes must be gone.
 */
export async function findDensity(session: SqlSession, slice: number): Promise<void> {
  await session.execute(sql`
    insert into rolled_days (user_id, day, week, was, becomes)
    with days as materialized (
      select user_id, day_start(timestamp) as day, week_start(timestamp) as week, count(*) filter (where source = ${SOURCE.fresh}::int) as fresh
        from rolled_rows group by 1, 2, 3),
    known as (
      select days.*, sum(fresh) over (partition by user_id, week) as fresh_in_week,
             exists (select from model_call_stats as of_day
                      where of_day.user_id = days.user_id and time_type = ${raw(String(typeDay))} and slice = ${slice}::int2 and timestamp = day) as is_day_dense,
             exists (select from model_call_stats as of_week
                      where of_week.user_id = days.user_id and time_type = ${raw(String(modelWeek))} and slice = ${slice}::int2 and timestamp = week) as is_week_dense,
             (select count(*) from model_call_stats as fine
               where fine.user_id = days.user_id and time_type in (${raw(`${fineOfSparseWeek}, ${fineOfSparseDay}`)}) and slice = ${slice}::int2
                 and timestamp >= day and timestamp < day + 96) as kept,
             (select count(*) from model_call_stats as fine
               where fine.user_id = days.user_id and time_type = ${raw(String(fineOfSparseWeek))} and slice = ${slice}::int2
                 and timestamp >= week and timestamp < week + 672) as kept_in_week
        from days)
    select user_id, day, week,
           case when is_day_dense then ${raw(String(fineOfDenseDay))} when is_week_dense then ${raw(String(fineOfSparseDay))} else ${raw(String(fineOfSparseWeek))} end,
           case when is_day_dense or kept + fresh >= ${DENSE_FROM}::int then ${raw(String(fineOfDenseDay))}
                when is_week_dense or kept_in_week + fresh_in_week >= ${DENSE_FROM}::int then ${raw(String(fineOfSparseDay))}
                else ${raw(String(fineOfSparseWeek))} end
      from known`);
  await session.execute(sql`
    insert into rolled_days (user_id, day, week, was, becomes)
    select distinct user_id, day_start(timestamp), week, ${raw(`${fineOfSparseWeek}, ${fineOfSparseDay}`)}
      from (select distinct user_id, week from rolled_days where was = ${raw(String(fineOfSparseWeek))} and becomes > was) as weeks
     cross join lateral (
       select timestamp from model_call_stats as fine
        where fine.user_id = weeks.user_id and time_type = ${raw(String(fineOfSparseWeek))} and slice = ${slice}::int2
          and timestamp >= week and timestamp < week + 672 offset 0) as fine
     where not exists (select from rolled_days as known where known.user_id = weeks.user_id and known.day = day_start(fine.timestamp))`);
  await session.execute(sql`
    with moved as (
      update model_call_stats as fine set time_type = becomes
        from rolled_days as days
       where becomes > was and fine.user_id = days.user_id and fine.time_type = was and fine.slice = ${slice}::int2
         and fine.timestamp >= day and fine.timestamp < day + 96
      returning fine.*)
    insert into rolled_rows (${raw(ROLLED_ROW)})
    select ${SOURCE.kept}::int, user_id, timestamp, item, null, type, model_id, ${raw(STORED_LIST)} from moved`);
}
