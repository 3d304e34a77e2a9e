import sql, { raw, type Sql } from "sql-template-tag";
import { typeName } from "../layout/call-type-codes.ts";
import { STORED_LIST } from "../layout/stored-measures.ts";
import { DENSE_FROM, EVERYONE, FINE } from "../layout/time-types.ts";
import { COARSE_OF_FINE } from "./derive-rollups.ts";
import {
  answered,
  DIFFERS,
  levelName,
  MEASURES_OF_SIDES,
  START,
  SUMS_OF_SIDES,
} from "./rollup-difference.ts";
import { type RowScope, rowsIn, startsIn } from "./rollup-scope.ts";

/**
 * Builds the statement that compares rows of some whole weeks with each other: whether every row is marked as what it is, in the slice of its
 * user; the coarser rows with the fine rows they sum; and the fine rows of all users together with those of the users. Of one user, only
 * that user's; `andEveryone` adds all users together. Answers `CheckRow`s. A day is dense if it has sums by type or enough fine rows, and a week if it has sums by model, enough fine
 * rows, or a dense day.
 */
export function rollupCheck(scope: RowScope, andEveryone = scope.userId === undefined): Sql {
  const read = andEveryone && scope.userId !== undefined ? rowsAndFine(scope, scope.userId) : rowsIn(scope);
  const inStarts = startsIn(scope.starts);
  return sql`
    with ${placedRows(read)},
    sides as (
      select true as is_expected, user_id, coarse.time_type, home as slice, coarse.timestamp, coarse.item, ${stored}
        from fine cross join lateral ${raw(COARSE_OF_FINE)} where fine.time_type >= coarse.least and ${isCompared(scope)}
      union all
      select false, user_id, time_type, home, timestamp, item, ${stored} from found where time_type > 2
      ${andEveryone ? TOGETHER : raw("")}),
    compared as materialized (
      select user_id, time_type, slice, timestamp, item, ${SUMS_OF_SIDES} from sides where ${inStarts}
       group by user_id, time_type, slice, timestamp, item),
    different as (
      select user_id, time_type, slice, timestamp, item, ${MEASURES_OF_SIDES} from compared where ${DIFFERS}
      union all
      select user_id, time_type, slice, timestamp, item, jsonb_build_object(${raw(MARKS_EXPECTED)}), jsonb_build_object(${raw(MARKS_FOUND)})
        from (${MARKS}) as marks where (${raw(marksOf("is"))}) is distinct from (${raw(marksOf("should"))}) and ${inStarts} and ${isCompared(scope)})
    ${answered(sql`select count(*) as compared from compared`, NAMED)}`;
}

function isCompared({ userId }: RowScope): Sql {
  return userId === undefined ? raw("true") : sql`user_id in (${EVERYONE}::int, ${userId}::int)`;
}

/** The rows of one user and of all users together, and the fine rows of everybody. */
function rowsAndFine({ userId: _, ...everybody }: RowScope, userId: number): Sql {
  return sql`${rowsIn(everybody)} and (time_type in ${raw(FINE)} or user_id in (${EVERYONE}::int, ${userId}::int))`;
}

const stored = raw(STORED_LIST);
const fineTypes = raw(FINE);

/** The rows as they were `found`, with the slice that is their `home`; and the `fine` ones with the `time_type` they should have. */
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
             case when found.user_id = ${EVERYONE}::int or day is not null then 2 when week is not null then 1 else 0 end as time_type
        from found
        left join dense_days on dense_days.user_id = found.user_id and day = day_start(timestamp)
        left join dense_weeks on dense_weeks.user_id = found.user_id and week = week_start(timestamp)
       where found.time_type in ${fineTypes})`;
}

const TOGETHER = sql`
      union all
      select true, ${EVERYONE}::int, 2, home, timestamp, coalesce(keyless_id, item), ${stored}
        from fine join model_call_combos as combos on combos.id = item where user_id <> ${EVERYONE}::int
      union all
      select false, ${EVERYONE}::int, 2, slice, timestamp, item, ${stored} from fine where user_id = ${EVERYONE}::int`;

const MARK_NAMES = ["time_type", "slice", "type", "model_id"];
const marksOf = (side: "is" | "should") => MARK_NAMES.map((name) => `${side}_${name}`).join(", ");
const MARKS_EXPECTED = MARK_NAMES.map((name) => `'${name}', should_${name}`).join(", ");
const MARKS_FOUND = MARK_NAMES.map((name) => `'${name}', is_${name}`).join(", ");

/** What every row is marked with, and what it should be. */
const MARKS = sql`
  select user_id, is_time_type as time_type, is_slice as slice, timestamp, item, is_time_type, should_time_type, is_slice, should_slice, is_type, is_model_id,
         case when is_time_type between 3 and 6 then item else models.type end as should_type,
         case when is_time_type between 3 and 6 then null else models.id end as should_model_id
    from (
      select user_id, found_type as is_time_type, time_type as should_time_type, slice as is_slice, home as should_slice, timestamp, item,
             type as is_type, model_id as is_model_id from fine
      union all
      select user_id, time_type, time_type, slice, home, timestamp, item, type, model_id from found where time_type > 2) as rows
    left join model_call_combos as combos on combos.id = item and (is_time_type <= 2 or is_time_type >= 9)
    left join model_call_models as models on models.id = case when is_time_type in (7, 8) then item else combos.model_id end`;

const NAMED = sql`
  select ${levelName("time_type")}, coalesce(did, '#' || user_id) as "userDid", ${START},
         jsonb_strip_nulls(jsonb_build_object(
           'type', case when time_type between 3 and 6 then ${raw(typeName("item"))} else ${raw(typeName("models.type"))} end,
           'provider_id', provider_id, 'model', model, 'app_did', app_did, 'status', status, 'key_id', key_id, 'tags', tags::text)) as dimensions,
         expected, found
    from different
    left join model_call_users as users on users.id = user_id
    left join model_call_combos as combos on combos.id = item and (time_type <= 2 or time_type >= 9)
    left join model_call_models as models on models.id = case when time_type in (7, 8) then item else combos.model_id end`;
