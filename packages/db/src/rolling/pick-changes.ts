import { type EntityManager } from "@mikro-orm/postgresql";
import { ALL_USERS } from "../reading/rollup-levels.ts";
import { isoText } from "../reading/iso-text.ts";
import { sql, trusted } from "../sql-fragment.ts";
import { type Scope } from "./recompute-rollups.ts";

/** Quarters of an hour of users, to be rolled up again; in the order of `users`, then of `quarters`, which are ISO instants. */
export type Buckets = { users: string[]; quarters: string[] };

/** Where the last pick ended: the next goes on from there, past the rows that were just deleted. */
export type Position = { user: string; quarter: string } | null;

type Row = { user_did: string; quarter: string };

/**
 * Takes up to `limit` closed quarters from the change log, with every mark of them that is visible: their calls are visible
 * too, because each mark was committed with its calls. A mark that comes later stays, for the next time.
 */
export async function pickChanges(
  em: EntityManager,
  of: Scope,
  limit: number,
  after: Position,
): Promise<Buckets> {
  const query = sql`
     with picked as (
       select distinct user_did, quarter from model_call_changes
        where user_did ${trusted(of === "users" ? "<>" : "=")} ${ALL_USERS} and quarter < quarter_of(clock_timestamp())
          and (${after?.user ?? null}::text is null or (user_did, quarter) > (${after?.user ?? null}::text, ${after?.quarter ?? null}::timestamptz))
        order by user_did, quarter limit ${limit}),
     taken as (
       delete from model_call_changes where ctid = any(array(
         select mark.ctid from picked cross join lateral (
           select ctid from model_call_changes where user_did = picked.user_did and quarter = picked.quarter offset 0) as mark)))
     select user_did, ${isoText(trusted("quarter"))} as quarter from picked order by user_did, picked.quarter`;
  const rows = await em.execute<Row[]>(query.sql, query.params);
  return { users: rows.map((row) => row.user_did), quarters: rows.map((row) => row.quarter) };
}

/** Marks quarters as changed for all users together. */
export async function markAllUsers(em: EntityManager, quarters: string): Promise<void> {
  await em.execute(
    `insert into model_call_changes
     select ?, quarter from (select distinct unnest(?::timestamptz[]) as quarter) as touched
      where not exists (select from model_call_changes as known where known.user_did = ? and known.quarter = touched.quarter)`,
    [ALL_USERS, quarters, ALL_USERS],
  );
}

/**
 * Has caches told of users once more, on commit. They heard of it when it was committed, unless that was long after it
 * was written, or they were not listening; the change log misses nothing.
 */
export async function announceChanges(em: EntityManager, users: string): Promise<void> {
  await em.execute("select announce_changes(?::text[])", [users]);
}

/** How many quarters wait to be rolled up: users' closed ones, and those of all users together. */
export async function countChanges(em: EntityManager): Promise<number> {
  const [row] = await em.execute<{ count: string }[]>(
    "select count(*) from (select distinct user_did, quarter from model_call_changes where quarter < quarter_of(clock_timestamp())) as waiting",
  );
  return Number(row!.count);
}
