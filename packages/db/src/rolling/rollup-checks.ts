import sql, { raw, type Sql } from "sql-template-tag";
import { typeName } from "../layout/call-type-codes.ts";
import { STORED_COLUMNS, STORED_LIST } from "../layout/stored-measures.ts";
import { DENSE_FROM, EVERYONE, EVERYONE_DENSE_FROM, FINE } from "../layout/time-types.ts";
import { NO_USERS } from "../layout/user-days.ts";
import { COARSE_OF_FINE, usersOfDays } from "./derive-rollups.ts";
import {
  answered,
  DIFFERS,
  levelName,
  MEASURES_OF_SIDES,
  START,
  USERS_OF_DAYS,
  SUMS_OF_SIDES,
} from "./rollup-difference.ts";
import { type RowScope, rowsIn, startsIn } from "./rollup-scope.ts";

/**
 * Builds the statement that compares rows of some whole weeks with each other: whether every row is marked as what it is, in the slice of its
 * user; the coarser rows with the fine rows they sum; and the rows of all users together with the users' fine rows. Of one user, only
 * that user's; `andEveryone` adds all users together. Answers `CheckRow`s. A day is dense if it has sums by type or enough fine rows, and a
 * week if it has sums by model, enough fine rows, or a dense day; a day of all users together has fine rows if it has some, or users have enough.
 */
export function rollupCheck(scope: RowScope, andEveryone = scope.userId === undefined): Sql {
  const inStarts = startsIn(scope.starts);
  const whose = scope.userId === undefined ? raw("true") : sql`user_id = ${scope.userId}::int`;
  const read =
    andEveryone && scope.userId !== undefined
      ? sql`${rowsIn({ weeks: scope.weeks })} and (time_type in ${fineTypes} or user_id in (${EVERYONE}::int, ${scope.userId}::int))`
      : rowsIn(scope);
  return sql`
    with ${placedRows(read)}${andEveryone ? EVERYONES_ROWS : raw("")},
    sides as (
      select true as is_expected, user_id, coarse.time_type, home as slice, coarse.timestamp, coarse.item, ${stored}
        from (select * from fine where ${whose}) as fine cross join lateral ${raw(COARSE_OF_FINE)} where fine.time_type >= coarse.least
      union all
      select false, user_id, greatest(time_type, 2), home, timestamp, item, ${stored} from found where time_type > 2 or user_id = ${EVERYONE}::int
      ${andEveryone ? SIDE_OF_EVERYONE : raw("")}),
    compared as materialized (
      select user_id, time_type, slice, timestamp, item, ${SUMS_OF_SIDES} from sides where ${inStarts}
       group by user_id, time_type, slice, timestamp, item),
    different as (
      select user_id, time_type, slice, timestamp, item, ${MEASURES_OF_SIDES} from compared where ${DIFFERS}
      union all
      select user_id, time_type, slice, timestamp, item, jsonb_build_object(${raw(MARKS_EXPECTED)}), jsonb_build_object(${raw(MARKS_FOUND)})
        from (${marks(whose)}) as marks where (${raw(marksOf("is"))}) is distinct from (${raw(marksOf("should"))}) and ${inStarts}
      ${andEveryone ? differentUsers(scope) : raw("")})
    ${answered(sql`select count(*) as compared from compared`, NAMED)}`;
}

const stored = raw(STORED_LIST);
const fineTypes = raw(FINE);

/** The rows as they were `found`, with the slice that is their `home`; and the users' `fine` ones with the `time_type` they should have. */
function placedRows(read: Sql): Sql {
  return sql`
    found as materialized (
      select stats.*, case when user_id = ${EVERYONE}::int then slice else coalesce(slice_of(did), slice) end as home
        from (select * from model_call_stats where ${read}) as stats left join model_call_users as users on users.id = user_id),
    dense_days as materialized (
      select user_id, timestamp as day from found where time_type = 5
      union select user_id, day_start(timestamp) from found where time_type in ${fineTypes} group by 1, 2 having count(*) >= ${DENSE_FROM}::int),
    dense_weeks as materialized (
      select user_id, timestamp as week from found where time_type = 8
      union select user_id, week_start(day) from dense_days
      union select user_id, week_start(timestamp) from found where time_type in ${fineTypes} group by 1, 2 having count(*) >= ${DENSE_FROM}::int),
    fine as materialized (
      select found.user_id, slice, home, timestamp, item, type, model_id, time_type as found_type, ${stored},
             case when day is not null then 2 when week is not null then 1 else 0 end as time_type
        from found
        left join dense_days on dense_days.user_id = found.user_id and day = day_start(timestamp)
        left join dense_weeks on dense_weeks.user_id = found.user_id and week = week_start(timestamp)
       where found.time_type in ${fineTypes} and found.user_id <> ${EVERYONE}::int)`;
}

/** The users' fine rows added up without their keys, and the days on which all users together have those themselves. */
const EVERYONES_ROWS = sql`,
    together as materialized (
      select home, timestamp, coalesce(keyless_id, item) as item, type, fine.model_id, count(*) as n,
             ${raw(STORED_COLUMNS.map((column) => `sum(${column}) as ${column}`).join(", "))}
        from fine join model_call_combos as combos on combos.id = item group by 1, 2, 3, 4, 5),
    days_together as materialized (
      select home, day_start(timestamp) as day from together group by 1, 2 having sum(n) >= ${EVERYONE_DENSE_FROM}::int
      union select home, day_start(timestamp) from found where user_id = ${EVERYONE}::int and time_type in ${fineTypes})`;

const SIDE_OF_EVERYONE = sql`
      union all
      select true, ${EVERYONE}::int, coarse.time_type, home, coarse.timestamp, coarse.item, ${stored}
        from together as fine cross join lateral ${raw(COARSE_OF_FINE)}
      union all
      select true, ${EVERYONE}::int, 2, home, timestamp, item, ${stored}
        from together join days_together using (home) where day = day_start(timestamp)`;

/** Which users have calls on a day, as told and as their fine rows say; counted as `users`, so both may be equal. */
function differentUsers({ weeks, starts }: RowScope): Sql {
  const [should, is] = ["should", "is_now"].map((side) => raw(`coalesce(${side}.users, ${NO_USERS})`)) as [
    Sql,
    Sql,
  ];
  return sql`
      union all
      select ${EVERYONE}::int, ${USERS_OF_DAYS}::int, slice, timestamp, chunk, jsonb_build_object('users', bit_count(${should})), jsonb_build_object('users', bit_count(${is}))
        from (${usersOfDays(sql`select home as slice, timestamp, user_id from fine`)}) as should
        full join (select * from model_call_user_days where ${startsIn(weeks)}) as is_now using (slice, timestamp, chunk)
       where ${should} <> ${is} and ${startsIn(starts)}`;
}

const MARK_NAMES = ["time_type", "slice", "type", "model_id"];
const marksOf = (side: "is" | "should") => MARK_NAMES.map((name) => `${side}_${name}`).join(", ");
const MARKS_EXPECTED = MARK_NAMES.map((name) => `'${name}', should_${name}`).join(", ");
const MARKS_FOUND = MARK_NAMES.map((name) => `'${name}', is_${name}`).join(", ");

/** What the rows are marked with, and what they should be. */
function marks(whose: Sql): Sql {
  return sql`
  select user_id, is_time_type as time_type, is_slice as slice, timestamp, item, is_time_type, should_time_type, is_slice, should_slice, is_type, is_model_id,
         case when is_time_type between 3 and 6 then item else models.type end as should_type,
         case when is_time_type between 3 and 6 then null else models.id end as should_model_id
    from (
      select user_id, found_type as is_time_type, time_type as should_time_type, slice as is_slice, home as should_slice, timestamp, item,
             type as is_type, model_id as is_model_id from fine where ${whose}
      union all
      select user_id, time_type, greatest(time_type, 2), slice, home, timestamp, item, type, model_id
        from found where time_type > 2 or user_id = ${EVERYONE}::int) as rows
    left join model_call_combos as combos on combos.id = item and (is_time_type <= 2 or is_time_type >= 9)
    left join model_call_models as models on models.id = case when is_time_type in (7, 8) then item else combos.model_id end`;
}

const NAMED = sql`
  select ${levelName("time_type")}, coalesce(did, '#' || user_id) as "userDid", ${START},
         jsonb_strip_nulls(jsonb_build_object(
           'type', case when time_type between 3 and 6 then ${raw(typeName("item"))} else ${raw(typeName("models.type"))} end,
           'provider_id', provider_id, 'model', model, 'app_did', app_did, 'status', status, 'key_id', key_id, 'tags', tags::text)) as dimensions,
         expected, found
    from different
    left join model_call_users as users on users.id = user_id
    left join model_call_combos as combos on combos.id = item and (time_type <= 2 or time_type in (9, 10))
    left join model_call_models as models on models.id = case when time_type in (7, 8) then item else combos.model_id end`;
