import sql, { raw } from "sql-template-tag";
import { sessionOf, type SqlSession } from "../connection/session.ts";
import { type Database } from "../database.ts";
import { EVERYONE, FINE } from "../layout/time-types.ts";
import { inTransaction } from "../transaction.ts";
import { deriveRollups, type Weeks } from "./derive-rollups.ts";
import { rollupCheck } from "./rollup-checks.ts";
import { type CheckRow, differencesOf, type RollupDifference } from "./rollup-difference.ts";
import { rowsIn } from "./rollup-scope.ts";

/** Which rows are repaired: a slice's of a week, of one user (an id) or everybody. */
export type Repair = { slice: number; week: Weeks; userId?: number };

/** Compares the rows of a slice's week with its fine rows, in one statement. */
export async function checkRollups(
  session: SqlSession,
  { slice, week, userId }: Repair,
): Promise<RollupDifference[]> {
  const scope = { slice, weeks: week, ...(userId !== undefined && { userId }) };
  return differencesOf(await session.execute<CheckRow>(rollupCheck(scope)));
}

/**
 * Replaces everything that follows from the fine rows of a slice's week where it differs from what it should be, in one transaction that has the
 * slice to itself, and announces whose it was; gives what differed. `patience` says what to do while somebody else has the slice:
 * wait, or skip it, which gives nothing.
 */
export async function repairRollups(
  orm: Database,
  repair: Repair,
  patience: "wait" | "skip",
): Promise<RollupDifference[]> {
  return inTransaction(orm, { isolationLevel: "read committed" }, async (em) => {
    const session = sessionOf(em);
    const lock = sql`select slice from model_call_slices where slice = ${repair.slice}::int2 for update`;
    const locked = await session.execute(patience === "wait" ? lock : sql`${lock} skip locked`);
    if (locked.length === 0) return [];
    const differences = await checkRollups(session, repair);
    if (differences.length === 0) return [];
    await takeStrays(session, repair);
    await deriveRollups(session, repair.slice, repair.week, repair.userId);
    await session.execute(
      sql`select announce_changes(${[...new Set(differences.map(({ userDid }) => userDid))]}::text[])`,
    );
    return differences;
  });
}

/** Takes away what is in a slice that is not its user's, but what is frozen, and logs its quarters, so that they are recomputed where they belong. */
async function takeStrays(session: SqlSession, { slice, week, userId }: Repair): Promise<void> {
  const scope = { slice, weeks: week, ...(userId !== undefined && { userId }) };
  await session.execute(sql`
    with strays as (
      delete from model_call_stats as stats using model_call_users as users
       where users.id = user_id and user_id <> ${EVERYONE}::int and slice_of(did) <> slice and ${rowsIn(scope)}
         and not is_frozen(did, quarter_start(timestamp))
      returning did, timestamp, time_type)
    insert into model_call_changes select distinct did, quarter_start(timestamp) from strays where time_type in ${raw(FINE)}`);
}
