import sql, { raw } from "sql-template-tag";
import { sessionOf, type SqlSession } from "../connection/session.ts";
import { type Database } from "../database.ts";
import { EVERYONE, FINE } from "../layout/time-types.ts";
import { inTransaction } from "../transaction.ts";
import { deriveRollups, type Weeks } from "./derive-rollups.ts";
import { rollupCheck } from "./rollup-checks.ts";
import { type CheckRow, differencesOf, type RollupDifference } from "./rollup-difference.ts";
import { rowsIn } from "./rollup-scope.ts";
import { lockEveryShard } from "./shards.ts";

/** Which rows are repaired: a week's, of one user (an id) or everybody. */
export type Repair = { weeks: Weeks; userId?: number };

/** Compares what follows from the fine rows of a week with them, in one statement: of one user, and always of all users together. */
export async function checkRollups(session: SqlSession, repair: Repair): Promise<RollupDifference[]> {
  return differencesOf(await session.execute<CheckRow>(rollupCheck(repair, true)));
}

/**
 * Replaces everything that follows from the fine rows of a week, of one user and of all users together or of everybody, where it differs from what it should be, in one transaction that keeps every
 * roller out, and announces whose it was; gives what differed. Where a roller is at work it `waits`, or else does and gives nothing.
 */
export async function repairRollups(
  orm: Database,
  repair: Repair,
  waits: boolean,
): Promise<RollupDifference[]> {
  // Each statement must see what was committed while this waited for its turn.
  return inTransaction(orm, { isolationLevel: "read committed" }, async (em) => {
    const session = sessionOf(em);
    if (!(await lockEveryShard(session, waits))) return [];
    const differences = await checkRollups(session, repair);
    if (differences.length === 0) return [];
    await takeStrays(session, repair);
    await correctModels(session, repair);
    const slices = await session.execute<{ slice: number }>(sql`select slice from model_call_slices`);
    for (const { slice } of slices) await deriveRollups(session, slice, repair.weeks, repair.userId);
    const users = [...new Set(differences.map(({ userDid }) => userDid))];
    await session.execute(sql`select announce_changes(${users}::text[])`);
    return differences;
  });
}

/** Takes away what is in a slice that is not its user's, but what is frozen, and logs its quarters, so that they are recomputed where they belong. */
async function takeStrays(session: SqlSession, repair: Repair): Promise<void> {
  await session.execute(sql`
    with strays as (
      delete from model_call_stats as stats using model_call_users as users
       where users.id = user_id and user_id <> ${EVERYONE}::int and slice_of(did) <> slice and ${rowsIn(repair)}
         and not is_frozen(did, quarter_start(timestamp))
      returning did, timestamp, time_type)
    insert into model_call_changes select distinct did, quarter_start(timestamp) from strays where time_type in ${raw(FINE)}`);
}

/** Gives fine rows the model that their combination of dimensions has. */
async function correctModels(session: SqlSession, repair: Repair): Promise<void> {
  await session.execute(sql`
    update model_call_stats as stats set type = models.type, model_id = models.id
      from model_call_combos as combos join model_call_models as models on models.id = combos.model_id
     where combos.id = item and user_id <> ${EVERYONE}::int and (stats.type, stats.model_id) is distinct from (models.type, models.id)
       and ${rowsIn(repair, FINE)}`);
}
