import sql, { raw, type Sql } from "sql-template-tag";
import { type SqlSession } from "../connection/session.ts";
import { FINE } from "../layout/time-types.ts";
import { chunkOf, onlyUser } from "../layout/user-days.ts";
import { SOURCE } from "./rolled-rows.ts";

/**
 * Notes on which days the users of `rolled_rows` have fine rows, and on which they have none any more. These are there already, and gone.
 * Whoever calls has the rows of all users together to themselves.
 */
export async function noteUsers(session: SqlSession, slice: number): Promise<void> {
  await session.execute(sql`
    insert into model_call_user_days as days (slice, timestamp, chunk, users)
    select ${slice}::int2, day, ${chunk}, bit_or(${user}) from (${daysOf(SOURCE.fresh)}) as fresh group by 2, 3 order by 2, 3
    on conflict (slice, timestamp, chunk) do update set users = days.users | excluded.users
     where days.users | excluded.users <> days.users`);
  await session.execute(sql`
    update model_call_user_days as days set users = days.users & ~ gone.users
      from (select day, ${chunk} as chunk, bit_or(${user}) as users from (${daysOf(SOURCE.gone)}) as gone
             where not exists (select from model_call_stats as fine
                                where fine.user_id = gone.user_id and time_type in ${raw(FINE)} and slice = ${slice}::int2
                                  and timestamp >= day and timestamp < day + 96)
             group by 1, 2) as gone
     where days.slice = ${slice}::int2 and timestamp = day and days.chunk = gone.chunk and days.users & ~ gone.users <> days.users`);
}

const chunk = raw(chunkOf("user_id"));
const user = raw(onlyUser("user_id"));

function daysOf(source: number): Sql {
  return sql`select distinct user_id, day_start(timestamp) as day from rolled_rows where source = ${source}::int`;
}
