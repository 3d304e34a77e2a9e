import { type SqlSession } from "../connection/session.ts";
import { KEPT_SUMS, STORED, STORED_LIST, SUMMED_STORED } from "../layout/stored-measures.ts";
import { EVERYONE, EVERYONE_DENSE_FROM, FINE } from "../layout/time-types.ts";
import sql, { raw, type Sql } from "sql-template-tag";
import { COARSE_OF_FINE, COARSER_ROWS } from "./derive-rollups.ts";
import { noteUsers } from "./note-users.ts";
import { SOURCE } from "./rolled-rows.ts";
import { lockEveryone } from "./shards.ts";

const ADDED = STORED.map(({ column }) =>
  column === "calls"
    ? "calls = stats.calls + excluded.calls"
    : `${column} = nullif(coalesce(stats.${column}, 0) + coalesce(excluded.${column}, 0), 0)`,
).join(", ");

const IS_ANYTHING = STORED.map(
  ({ column, type }) => `coalesce(${type === "int8" ? "sum8" : "sum"}(${column}), 0) <> 0`,
).join(" or ");

type Empty = { user_id: number; time_type: number; timestamp: number; item: number };

/**
 * Adds what `rolled_rows` changes to the coarser rows of users, as dense as `rolled_days` says. The fine rows are there already.
 */
export async function addToUsers(session: SqlSession, slice: number): Promise<void> {
  await add(
    session,
    slice,
    sql`
      select user_id, coarse.time_type, coarse.timestamp, coarse.item, type, model_id, ${raw(STORED_LIST)}
        from (select rows.*, was, becomes
                from rolled_rows as rows join rolled_days as days on days.user_id = rows.user_id and days.day = day_start(timestamp)) as fine
       cross join lateral ${raw(COARSE_OF_FINE)}
       where case source when ${SOURCE.fresh}::int then becomes >= least when ${SOURCE.gone}::int then was >= least else was < least and becomes >= least end`,
  );
}

/**
 * Adds what `rolled_rows` changes to the rows of all users together; with their own fine rows on days that have, or now get them. The
 * fine rows of users are there already.
 */
export async function addToEveryone(session: SqlSession, slice: number): Promise<void> {
  // From here on rollers wait for each other: whether a day of all users is dense must not change before it is added to.
  await lockEveryone(session, slice);
  await noteUsers(session, slice);
  await findDensityOfEveryone(session, slice);
  await add(
    session,
    slice,
    sql`
      select ${EVERYONE}::int as user_id, coarse.time_type, coarse.timestamp, coarse.item, type, model_id, ${raw(STORED_LIST)}
        from (select timestamp, keyless_id as item, type, model_id, was, ${raw(SUMMED_STORED)}
                from rolled_rows as rows
                join rolled_days as days on days.user_id = ${EVERYONE} and days.day = day_start(timestamp)
               where source <> ${SOURCE.kept}::int group by timestamp, keyless_id, type, model_id, was) as fine
       cross join lateral (values (2::int2, fine.timestamp, fine.item, 2), ${raw(COARSER_ROWS)}) as coarse(time_type, timestamp, item, least)
       where coarse.time_type <> 2 or was = 2`,
  );
  await session.execute(sql`
    insert into model_call_stats (user_id, time_type, slice, timestamp, item, type, model_id, ${raw(STORED_LIST)})
    select ${EVERYONE}::int, 2, ${slice}::int2, timestamp, item, type, model_id, ${raw(KEPT_SUMS)}
      from (select fine.timestamp, coalesce(keyless_id, fine.item) as item, fine.type, fine.model_id, ${raw(STORED_LIST)}
              from rolled_days as days
             cross join lateral (${usersFineRows(slice)}) as fine
              join model_call_combos as combos on combos.id = fine.item
             where days.user_id = ${EVERYONE} and becomes > was) as fine
     group by timestamp, item, type, model_id`);
}

/** Notes the days of all users together in `rolled_days`: dense are those that have, or have to get, fine rows of their own. */
async function findDensityOfEveryone(session: SqlSession, slice: number): Promise<void> {
  await session.execute(sql`
    insert into rolled_days (user_id, day, week, was, becomes)
    select ${EVERYONE}::int, day, week_start(day), case when is_dense then 2 else 0 end,
           case when is_dense or (select count(*) from (select from (${usersFineRows(slice)}) as fine limit ${EVERYONE_DENSE_FROM}::int) as fine) = ${EVERYONE_DENSE_FROM}::int then 2 else 0 end
      from (select day, exists (select from model_call_stats
                                 where user_id = ${EVERYONE} and time_type = 2 and slice = ${slice}::int2 and timestamp >= day and timestamp < day + 96) as is_dense
              from (select distinct day_start(timestamp) as day from rolled_rows where source <> ${SOURCE.kept}::int) as touched) as days`);
}

/** The users' fine rows of a `days.day`, by the index on types and times. */
function usersFineRows(slice: number): Sql {
  return sql`select * from model_call_stats as stats
              where time_type::int in ${raw(FINE)} and stats.timestamp >= days.day and stats.timestamp < days.day + 96
                and user_id <> ${EVERYONE} and slice = ${slice}::int2 offset 0`;
}

/** Adds differences to rows, which are made where they are missing; a row whose calls are gone goes, too. In the order of the key, so that nobody waits in a circle. */
async function add(session: SqlSession, slice: number, differences: Sql): Promise<void> {
  const empty = await session.execute<Empty>(sql`
    with added as (
      insert into model_call_stats as stats (user_id, time_type, slice, timestamp, item, type, model_id, ${raw(STORED_LIST)})
      select user_id, time_type, ${slice}::int2, timestamp, item, type, case when time_type not in (4, 5, 6) then model_id end, ${raw(KEPT_SUMS)}
        from (${differences}) as differences
       group by user_id, time_type, timestamp, item, type, case when time_type not in (4, 5, 6) then model_id end
      having ${raw(IS_ANYTHING)}
       order by user_id, time_type, timestamp, item
      on conflict (user_id, time_type, slice, timestamp, item) do update set ${raw(ADDED)}
      returning user_id, time_type, timestamp, item, calls)
    select user_id, time_type, timestamp, item from added where calls = 0`);
  if (empty.length === 0) return;
  const of = (column: keyof Empty) => empty.map((row) => row[column]);
  await session.execute(sql`
    delete from model_call_stats as stats
     using unnest(${of("user_id")}::int[], ${of("time_type")}::int2[], ${of("timestamp")}::int[], ${of("item")}::int[]) as empty(user_id, time_type, timestamp, item)
     where stats.user_id = empty.user_id and stats.time_type = empty.time_type and stats.slice = ${slice}::int2
       and stats.timestamp = empty.timestamp and stats.item = empty.item`);
}
