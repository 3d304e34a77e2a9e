import { type SqlSession } from "../connection/session.ts";
import { type Database } from "../database.ts";
import { isoText } from "../reading/instant-sql.ts";
import sql, { raw, type Sql } from "sql-template-tag";
import { isFrozen } from "./frozen-quarters.ts";
import { type Buckets } from "./rollup-buckets.ts";
import { type Shard } from "./shards.ts";

// As the triggers of calls say (20261125000007-one-entry.ts).
const RELYING = 1_903_326_322;

type Row = { user_did: string; quarter: string };

// A writer that has not committed relies on others' entries of these.
const NOT_RELIED_ON = raw("quarter <> all(array(select quarters_relied_on()))");

/** Which quarters are rolled up: those that are over, or the one under way. */
export type Which = "settled" | "open";

const IS: Record<Which, Sql> = {
  settled: raw("quarter < quarter_of(clock_timestamp())"),
  open: raw("quarter = quarter_of(clock_timestamp())"),
};

/** Finds up to `limit` quarters of a shard's users that the change log names, but those `without`, the earliest first. */
export async function findChanges(
  session: SqlSession,
  { slice, shard }: Shard,
  which: Which,
  limit: number,
  without: Buckets,
): Promise<Buckets> {
  const rows = await session.execute<Row>(sql`
    select user_did, ${isoText(raw("quarter"))} as quarter from (
      select distinct user_did, quarter from model_call_changes
       where slice_of(user_did) = ${slice}::int2 and shard_of(user_did) = ${shard}::int2 and ${IS[which]}
         and ${which === "open" ? raw("true") : NOT_RELIED_ON}
         and not exists (select from unnest(${without.users}::text[], ${without.quarters}::timestamptz[]) as without(who, since)
                          where who = user_did and since = quarter)
       order by quarter, user_did limit ${limit}) as changed`);
  return bucketsOf(rows);
}

/**
 * Takes every entry of some quarters that is visible from the change log: their calls are visible too, because each entry was
 * committed with its calls. An entry that comes later stays, for the next time. Gives the quarters to be rolled up: those that still had entries,
 * and are not frozen.
 */
export async function takeChanges(session: SqlSession, { users, quarters }: Buckets): Promise<Buckets> {
  const rows = await session.execute<Row>(sql`
     with taken as (
       delete from model_call_changes where ctid = any(array(
         select entry.ctid
           from unnest(${users}::text[], ${quarters}::timestamptz[]) as picked(user_did, quarter)
          cross join lateral (
            select ctid from model_call_changes where user_did = picked.user_did and quarter = picked.quarter offset 0) as entry
          where ${NOT_RELIED_ON}))
       returning user_did, quarter)
     select user_did, ${isoText(raw("quarter"))} as quarter from (select distinct user_did, quarter from taken) as taken
      where not ${isFrozen("taken.user_did", "taken.quarter")} order by taken.quarter, user_did`);
  return bucketsOf(rows);
}

function bucketsOf(rows: Row[]): Buckets {
  return { users: rows.map((row) => row.user_did), quarters: rows.map((row) => row.quarter) };
}

/**
 * Waits until nobody relies on others' entries of the quarter under way, and has nobody do so until the transaction ends: meanwhile
 * every writer adds an entry. Fails (55P03) where a writer takes longer than `mostMs`.
 */
export async function endReliance(session: SqlSession, mostMs: number): Promise<void> {
  const setTimeout = (value: string) =>
    session.execute(sql`select set_config('lock_timeout', ${value}::text, true)`);
  const [usual] = await session.execute<{ value: string }>(
    sql`select current_setting('lock_timeout') as value`,
  );
  await setTimeout(String(mostMs));
  await session.execute(sql`
    select pg_advisory_xact_lock(${RELYING}::int, (extract(epoch from quarter_of(clock_timestamp())) / 900)::int)`);
  await setTimeout(usual!.value);
}

/** Says whether the change log names at least so many users' quarter that is under way. */
export async function areManyOpen(session: SqlSession, many: number): Promise<boolean> {
  const [row] = await session.execute<{ count: string }>(sql`
    select count(*) from (select from model_call_changes where ${IS.open} limit ${many}) as entries`);
  return Number(row!.count) >= many;
}

/** Counts the settled quarters of users that wait to be rolled up. */
export async function countChanges(orm: Database): Promise<number> {
  const [row] = await orm.em
    .fork()
    .execute<{ count: string }[]>(
      "select count(*) from (select distinct user_did, quarter from model_call_changes where quarter < quarter_of(clock_timestamp())) as waiting",
    );
  return Number(row!.count);
}
