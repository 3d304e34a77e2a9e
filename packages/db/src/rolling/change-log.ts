import { type SqlSession } from "../connection/session.ts";
import { type Database } from "../database.ts";
import { ALL_USERS } from "../reading/rollup-levels.ts";
import { isoText } from "../reading/instant-sql.ts";
import sql, { raw } from "sql-template-tag";
import { isFrozen } from "./frozen-quarters.ts";
import { type Buckets, type RollupsOf } from "./rollup-buckets.ts";

/** Where the last pick ended: the next goes on from there, past the rows that were just deleted. */
export type Position = { user: string; quarter: string } | null;

/** Quarters to be rolled up again, and where they end, which may be past the last of them; `null` where nothing was left. */
export type Picked = { buckets: Buckets; count: number; position: Position };

type Row = { user_did: string; quarter: string; frozen: boolean };

/**
 * Takes up to `limit` settled quarters from the change log, but those `without`, with every entry of theirs that is visible: their calls are visible
 * too, because each entry was committed with its calls. An entry that comes later stays, for the next time. So do those of a quarter in
 * which a writer that has not committed relies on others' entries. What is frozen loses its entries and is not to be rolled up.
 */
export async function pickChanges(
  session: SqlSession,
  of: RollupsOf,
  limit: number,
  after: Position,
  without: Buckets,
): Promise<Picked> {
  const rows = await session.execute<Row>(sql`
     with picked as (
       select distinct user_did, quarter from model_call_changes
        where user_did ${raw(of === "users" ? "<>" : "=")} ${ALL_USERS} and quarter < quarter_of(clock_timestamp())
          and (user_did = ${ALL_USERS} or quarter <> all(array(select quarters_relied_on())))
          and (${after?.user ?? null}::text is null or (user_did, quarter) > (${after?.user ?? null}::text, ${after?.quarter ?? null}::timestamptz))
          and not exists (select from unnest(${without.users}::text[], ${without.quarters}::timestamptz[]) as without(who, since)
                           where who = user_did and since = quarter)
        order by user_did, quarter limit ${limit}),
     taken as (
       delete from model_call_changes where ctid = any(array(
         select entry.ctid from picked cross join lateral (
           select ctid from model_call_changes where user_did = picked.user_did and quarter = picked.quarter offset 0) as entry)))
     select user_did, ${isoText(raw("quarter"))} as quarter, ${isFrozen("picked.user_did", "picked.quarter")} as frozen
       from picked order by user_did, picked.quarter`);
  const last = rows.at(-1);
  const kept = rows.filter(({ frozen }) => !frozen);
  return {
    buckets: { users: kept.map((row) => row.user_did), quarters: kept.map((row) => row.quarter) },
    count: rows.length,
    position: last === undefined ? null : { user: last.user_did, quarter: last.quarter },
  };
}

/** Logs quarters as changed for all users together. */
export async function logAllUsers(session: SqlSession, quarters: string[]): Promise<void> {
  await session.execute(sql`
    insert into model_call_changes
    select ${ALL_USERS}, quarter from (select distinct unnest(${quarters}::timestamptz[]) as quarter) as touched
     where not exists (select from model_call_changes as known where known.user_did = ${ALL_USERS} and known.quarter = touched.quarter)`);
}

/** Counts the quarters that wait to be rolled up: users' settled ones, and those of all users together. */
export async function countChanges(orm: Database): Promise<number> {
  const [row] = await orm.em
    .fork()
    .execute<{ count: string }[]>(
      "select count(*) from (select distinct user_did, quarter from model_call_changes where quarter < quarter_of(clock_timestamp())) as waiting",
    );
  return Number(row!.count);
}
