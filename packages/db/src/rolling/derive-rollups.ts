import sql, { raw, type Sql } from "sql-template-tag";
import { type SqlSession } from "../connection/session.ts";
import { DENSE_FROM, EVERYONE, EVERYONE_DENSE_FROM, FINE } from "../layout/time-types.ts";
import { chunkOf, onlyUser } from "../layout/user-days.ts";
import { KEPT_SUMS, STORED_COLUMNS, STORED_LIST, SUMMED_STORED } from "../layout/stored-measures.ts";

/** Quarters of an hour since 1970, from one to another, half-open. */
export type Quarters = { from: number; to: number };

/** Quarters from the beginning of a week to that of another. */
export type Weeks = Quarters;

/**
 * Makes everything of some whole weeks of a slice anew that follows from the users' fine rows: which of these are of dense days and weeks,
 * the coarser rows, and the rows of all users together. Of one user (an id), that user's rows and those of all users together. Whoever calls
 * has every shard of the slice to themselves, and commits all of it at once.
 */
export async function deriveRollups(
  session: SqlSession,
  slice: number,
  weeks: Weeks,
  userId?: number,
): Promise<void> {
  const inWeeks = sql`slice = ${slice}::int2 and timestamp >= ${weeks.from}::int and timestamp < ${weeks.to}::int`;
  const everyone = sql`user_id = ${EVERYONE}::int and time_type in ${raw(ALL)} and ${inWeeks}`;
  const allFine = sql`time_type::int in ${raw(FINE)} and user_id <> ${EVERYONE}::int and ${inWeeks}`;
  const ofOne = sql`user_id = ${userId ?? EVERYONE}::int and ${inWeeks}`;
  const [fine, coarse] =
    userId === undefined
      ? [allFine, sql`time_type::int in ${raw(COARSE)} and ${inWeeks}`]
      : [sql`time_type in ${raw(FINE)} and ${ofOne}`, sql`time_type in ${raw(COARSE)} and ${ofOne}`];
  const statements = [
    sql`delete from model_call_stats where ${coarse}`,
    sql`delete from model_call_stats where ${everyone}`,
    removeDoubles(fine),
    retagFineRows(fine),
    sql`insert into model_call_stats (${raw(COLUMNS)}) ${coarseOf(sql`select * from model_call_stats where ${fine}`)}`,
    ...rowsOfEveryone(allFine),
    sql`delete from model_call_user_days where ${inWeeks}`,
    sql`insert into model_call_user_days (slice, timestamp, chunk, users) ${usersOfDays(sql`select * from model_call_stats where ${allFine}`)}`,
  ];
  for (const statement of statements) await session.execute(statement);
}

/** Selects which users have any of some fine rows, which have a `slice`, as `model_call_user_days` tells it. */
export function usersOfDays(fine: Sql): Sql {
  return sql`
    select slice, day as timestamp, ${raw(chunkOf("user_id"))} as chunk, bit_or(${raw(onlyUser("user_id"))}) as users
      from (select distinct slice, day_start(timestamp) as day, user_id from (${fine}) as fine) as days group by 1, 2, 3`;
}

/** The columns of rollups as `coarseOf` selects them. */
export const COLUMNS = `user_id, time_type, slice, timestamp, item, type, model_id, ${STORED_LIST}`;

/**
 * Makes the rows of all users together of the users' fine rows, which are added up without their keys first: their coarser rows, and fine rows of their
 * own on dense days.
 */
function rowsOfEveryone(fine: Sql): Sql[] {
  const withoutKeys = sql`
    select ${EVERYONE}::int as user_id, 2 as time_type, stats.slice, timestamp, coalesce(keyless_id, item) as item, stats.type, stats.model_id, sum(count(*)) over (partition by day_start(timestamp)) as in_day, ${raw(SUMMED_STORED)}
      from model_call_stats as stats join model_call_combos as combos on combos.id = item where ${fine}
     group by stats.slice, timestamp, coalesce(keyless_id, item), stats.type, stats.model_id`;
  return [
    sql`insert into model_call_stats (${raw(COLUMNS)}) ${coarseOf(withoutKeys)}`,
    sql`insert into model_call_stats (${raw(COLUMNS)})
        select user_id, time_type, slice, timestamp, item, type, model_id, calls, ${raw(NULL_FOR_ZERO)}
          from (${withoutKeys}) as everyone where in_day >= ${EVERYONE_DENSE_FROM}::int and calls <> 0`,
  ];
}

const NULL_FOR_ZERO = STORED_COLUMNS.filter((column) => column !== "calls")
  .map((column) => `nullif(${column}, 0)`)
  .join(", ");

/** Every type, and those of coarser rows, for `in (…)`. */
const ALL = "(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)";
const COARSE = "(4, 5, 6, 7, 8, 9, 10)";

/** The coarser rows that a row of `fine` belongs in, and the least `time_type` it has there, for `values`. */
export const COARSER_ROWS = `
       (4::int2, fine.timestamp & -4, fine.type::int, 2), (5, day_start(fine.timestamp), fine.type, 2),
       (6, week_start(fine.timestamp), fine.type, 0), (7, day_start(fine.timestamp), fine.model_id, 2),
       (8, week_start(fine.timestamp), fine.model_id, 1), (9, day_start(fine.timestamp), fine.item, 2),
       (10, week_start(fine.timestamp), fine.item, 1)`;

/** The same as a table. */
export const COARSE_OF_FINE = `(values ${COARSER_ROWS}) as coarse(time_type, timestamp, item, least)`;

/** Selects the coarser rows that fine rows belong in, as their `time_type` says. */
function coarseOf(fine: Sql): Sql {
  return sql`
    select user_id, coarse.time_type, slice, coarse.timestamp, coarse.item, type, case when coarse.time_type >= 7 then model_id end, ${raw(KEPT_SUMS)}
      from (${fine}) as fine cross join lateral ${raw(COARSE_OF_FINE)}
     where fine.time_type >= coarse.least
     group by user_id, coarse.time_type, slice, coarse.timestamp, coarse.item, type, case when coarse.time_type >= 7 then model_id end
    having sum8(calls) <> 0`;
}

/** Of a fine row that is there under several types, keeps one: which of them is right, its calls say. */
function removeDoubles(fine: Sql): Sql {
  return sql`
    delete from model_call_stats as stats
     using (select user_id, slice, timestamp, item, max(time_type) as kept from model_call_stats where ${fine}
             group by user_id, slice, timestamp, item having count(*) > 1) as doubled
     where stats.user_id = doubled.user_id and stats.time_type in ${raw(FINE)} and stats.time_type <> doubled.kept
       and stats.slice = doubled.slice and stats.timestamp = doubled.timestamp and stats.item = doubled.item`;
}

function retagFineRows(fine: Sql): Sql {
  return sql`
    with fine as materialized (
      select user_id, time_type, slice, timestamp, day_start(timestamp) as day, week_start(timestamp) as week, item
        from model_call_stats where ${fine}),
    days as (select user_id, day, count(*) as n from fine group by user_id, day),
    weeks as (select user_id, week, count(*) as n from fine group by user_id, week),
    tagged as (
      select fine.*, case when days.n >= ${DENSE_FROM}::int then 2 when weeks.n >= ${DENSE_FROM}::int then 1 else 0 end as tag
        from fine join days using (user_id, day) join weeks using (user_id, week))
    update model_call_stats as stats set time_type = tag from tagged
     where tag <> tagged.time_type and stats.user_id = tagged.user_id and stats.time_type = tagged.time_type
       and stats.slice = tagged.slice and stats.timestamp = tagged.timestamp and stats.item = tagged.item`;
}
