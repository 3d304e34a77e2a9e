import { type SqlSession } from "../connection/session.ts";
import { NEGATED_STORED, STORED_LIST } from "../layout/stored-measures.ts";
import { FINE } from "../layout/time-types.ts";
import sql, { raw } from "sql-template-tag";
import { addToEveryone, addToUsers } from "./add-differences.ts";
import { findDensity } from "./find-density.ts";
import { isCombo, knowNames } from "./know-names.ts";
import { makeRolledTables, ROLLED_ROW, SOURCE } from "./rolled-rows.ts";
import { type Buckets } from "./rollup-buckets.ts";
import { sumQuarters } from "./sum-quarters.ts";

/**
 * Recomputes the fine rows of some quarters of a shard's users from their calls and replaces them, and adds what they differ by to the coarser rows.
 * Set-based: the number of statements is the same for any number of quarters. Whoever calls has the shard to themselves.
 */
export async function recomputeRollups(session: SqlSession, slice: number, buckets: Buckets): Promise<void> {
  await makeRolledTables(session);
  await sumQuarters(session, buckets);
  await knowNames(session);
  await takeFineRows(session, slice, buckets);
  await identifyFreshRows(session);
  await findDensity(session, slice);
  await insertFreshRows(session, slice);
  await addToUsers(session, slice);
  await addToEveryone(session, slice);
}

/** Takes away the fine rows of the quarters, and notes them. */
async function takeFineRows(session: SqlSession, slice: number, { users, quarters }: Buckets): Promise<void> {
  await session.execute(sql`
    with gone as (
      delete from model_call_stats
       where ctid = any(array(
         select fine.ctid
           from unnest(${users}::text[], ${quarters}::timestamptz[]) as touched(user_did, start)
           join model_call_users as users on did = user_did
          cross join lateral (
            select ctid from model_call_stats
             where user_id = users.id and time_type in ${raw(FINE)} and slice = ${slice}::int2 and timestamp = quarter_number(start) offset 0) as fine))
      returning *)
    insert into rolled_rows (${raw(ROLLED_ROW)})
    select ${SOURCE.gone}::int, user_id, timestamp, item, coalesce(keyless_id, item), gone.type, gone.model_id, ${raw(NEGATED_STORED)}
      from gone join model_call_combos as combos on combos.id = item`);
}

/** Turns `rolled_calls` into rows by ids. */
async function identifyFreshRows(session: SqlSession): Promise<void> {
  await session.execute(sql`
    insert into rolled_rows (${raw(ROLLED_ROW)})
    select ${SOURCE.fresh}::int, users.id, timestamp, combos.id, coalesce(keyless_id, combos.id), models.type, models.id, ${raw(STORED_LIST)}
      from rolled_calls as named
      join model_call_users as users on did = user_did
      join model_call_models as models using (type, provider_id, model)
      join model_call_combos as combos
        on ${isCombo("combos")}`);
}

async function insertFreshRows(session: SqlSession, slice: number): Promise<void> {
  await session.execute(sql`
    insert into model_call_stats (user_id, time_type, slice, timestamp, item, type, model_id, ${raw(STORED_LIST)})
    select rows.user_id, becomes, ${slice}::int2, timestamp, item, type, model_id, ${raw(STORED_LIST)}
      from rolled_rows as rows join rolled_days as days on days.user_id = rows.user_id and days.day = day_start(timestamp)
     where source = ${SOURCE.fresh}::int
     order by rows.user_id, becomes, timestamp, item`);
}
