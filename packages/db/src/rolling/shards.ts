import { type SqlSession, sessionOf } from "../connection/session.ts";
import { type Database } from "../database.ts";
import sql, { raw } from "sql-template-tag";

/** A part of a slice's users, whose rollups one roller at a time changes. */
export type Shard = { slice: number; shard: number };

/** The shard that stands for the rows of all users together, which every roller needs in the end. */
const EVERYONES = -1;

/** Lists what rollers share out among each other. */
export async function listShards(orm: Database): Promise<Shard[]> {
  return sessionOf(orm.em.fork()).execute<Shard>(
    sql`select slice, shard from model_call_shards where shard <> ${EVERYONES} order by slice, shard`,
  );
}

/** Locks a shard until the transaction ends; says whether it could, which where it `waits` it always can. */
export async function lockShard(
  session: SqlSession,
  { slice, shard }: Shard,
  waits: boolean,
): Promise<boolean> {
  const rows = await session.execute(sql`
    select from model_call_shards where slice = ${slice}::int2 and shard = ${shard}::int2 for update ${raw(waits ? "" : "skip locked")}`);
  return rows.length === 1;
}

/** Locks the rows of all users together until the transaction ends. */
export async function lockEveryone(session: SqlSession, slice: number): Promise<void> {
  await lockShard(session, { slice, shard: EVERYONES }, true);
}

/** Locks every shard until the transaction ends, so that nobody else rolls up; says whether it could, which where it `waits` it always can. */
export async function lockEveryShard(session: SqlSession, waits: boolean): Promise<boolean> {
  const [row] = await session.execute<{ all: boolean }>(sql`
    with locked as (
      select from model_call_shards order by (shard = ${EVERYONES}), slice, shard for update ${raw(waits ? "" : "skip locked")})
    select (select count(*) from locked) = (select count(*) from model_call_shards) as all`);
  return row!.all;
}
