import { type EntityManager } from "@mikro-orm/postgresql";
import { arrayLiteral } from "../array-literal.ts";
import { type Database } from "../database.ts";
import { inTransaction } from "../transaction.ts";
import { announceChanges, countChanges, markAllUsers, pickChanges, type Position } from "./pick-changes.ts";
import { recomputeRollups, type Scope } from "./recompute-rollups.ts";

// Any constant, as long as every roller uses it ("roll" in ASCII).
const ROLLING = 0x726f6c6c;

/** A batch's size in quarters of users: larger ones gain little and hold their transaction longer (docs/decisions/0003-rolling-up.md). */
export const DEFAULT_BATCH = 2_000;

export type RollUpOptions = {
  /** How many quarters one transaction rolls up. */
  batchSize?: number;
  /** Told after every batch how many quarters are done, and how many there were to do at the beginning. */
  onProgress?: (done: number, total: number) => void;
  /** Ends after the batch under way. */
  signal?: AbortSignal;
};

/**
 * Rolls up every closed quarter that the change log names, users first and then all users together, until nothing is
 * left; gives how many it rolled up. Each batch is one transaction that recomputes and replaces: it may be killed, and run
 * by several processes at once (they take turns), without any answer ever being wrong.
 */
export async function rollUp(orm: Database, options: RollUpOptions = {}): Promise<number> {
  const { batchSize = DEFAULT_BATCH, onProgress, signal } = options;
  const total = onProgress ? await countChanges(orm.em.fork()) : 0;
  let done = 0;
  for (const scope of ["users", "all users"] as const) {
    let position: Position = null;
    for (;;) {
      if (signal?.aborted) return done;
      const batch = await rollUpBatch(orm, scope, batchSize, position);
      done += batch.count;
      if (batch.count > 0) onProgress?.(done, Math.max(done, total));
      // A pass that began in the middle may have left something before it.
      if (batch.count === 0 && position === null) break;
      position = batch.count === 0 ? null : batch.position;
    }
  }
  return done;
}

async function rollUpBatch(
  orm: Database,
  scope: Scope,
  limit: number,
  after: Position,
): Promise<{ count: number; position: Position }> {
  const takeTurn = async (em: EntityManager) => {
    // Rollers take turns: two that recompute buckets of the same day would each miss what the other has not committed.
    await em.execute("select pg_advisory_xact_lock(?)", [ROLLING]);
    const buckets = await pickChanges(em, scope, limit, after);
    const count = buckets.users.length;
    if (count === 0) return { count, position: null };
    await recomputeRollups(em, scope, buckets);
    if (scope === "users") {
      await markAllUsers(em, arrayLiteral(buckets.quarters));
      await announceChanges(em, arrayLiteral([...new Set(buckets.users)]));
    }
    return { count, position: { user: buckets.users[count - 1]!, quarter: buckets.quarters[count - 1]! } };
  };
  // Each statement must see what the one before it could not: calls that were committed while this waited for its turn.
  return inTransaction(orm, { isolationLevel: "read committed" }, takeTurn);
}
