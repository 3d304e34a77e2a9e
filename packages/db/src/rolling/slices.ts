import { type SqlSession, sessionOf } from "../connection/session.ts";
import { type Database } from "../database.ts";
import sql, { raw } from "sql-template-tag";

/** Lists the slices that users are divided into. Whoever changes rollups has those of one slice to themselves. */
export async function listSlices(orm: Database): Promise<number[]> {
  const rows = await sessionOf(orm.em.fork()).execute<{ slice: number }>(
    sql`select slice from model_call_slices order by slice`,
  );
  return rows.map(({ slice }) => slice);
}

/** Locks a slice until the transaction ends; says whether it could, which where it `waits` it always can. */
export async function lockSlice(session: SqlSession, slice: number, waits: boolean): Promise<boolean> {
  const rows = await session.execute(sql`
    select from model_call_slices where slice = ${slice}::int2 for update ${raw(waits ? "" : "skip locked")}`);
  return rows.length === 1;
}
