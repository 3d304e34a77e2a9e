import sql from "sql-template-tag";
import { type SqlSession, sessionOf } from "../connection/session.ts";
import { type Database } from "../database.ts";
import { inTransaction } from "../transaction.ts";
import { countChanges, logAllUsers, type Picked, pickChanges, type Position } from "./change-log.ts";
import { isAnyFrozen, noticeMissingMonths } from "./frozen-quarters.ts";
import { recomputeRollups } from "./recompute-rollups.ts";
import { type Buckets, type RollupsOf } from "./rollup-buckets.ts";
import { vacuumChangeLog } from "./vacuum-change-log.ts";
import { CannotRollUp, isBadData, nothingSetAside, type SetAside } from "./set-aside.ts";

// Any constant, as long as every roller uses it ("roll" in ASCII).
const ROLLING = 0x726f6c6c;

/** A batch's size in quarters of users: larger ones gain little and hold their transaction longer (docs/decisions/0003-rolling-up.md). */
export const DEFAULT_BATCH = 2_000;

/** Entries of fewer quarters than these are left to autovacuum. */
const MANY = 10_000;

export type RollUpOptions = {
  /** How many quarters one transaction rolls up. */
  batchSize?: number;
  /** Told after every batch how many quarters are done, and how many there were to do at the beginning. */
  onProgress?: (done: number, total: number) => void;
  /** Ends after the batch under way. */
  signal?: AbortSignal;
  /** Quarters to leave alone, to which those are added that turn out to be impossible. */
  setAside?: SetAside;
};

/**
 * Rolls up every settled quarter that the change log names, users first and then all users together, until nothing is
 * left; gives how many it rolled up. Each batch is one transaction that recomputes and replaces: it may be killed, and run
 * by several processes at once (they take turns), without any answer ever being wrong. A quarter that cannot be rolled up holds up
 * no other: when the rest is done, `CannotRollUp` is thrown, which names those that were not set aside before.
 */
export async function rollUp(orm: Database, options: RollUpOptions = {}): Promise<number> {
  const { batchSize = DEFAULT_BATCH, onProgress, signal, setAside = nothingSetAside() } = options;
  const total = onProgress ? await countChanges(orm) : 0;
  const known = setAside.users.length;
  let done = 0;
  for (const whose of ["users", "all_users"] as const) {
    let position: Position = null;
    let limit = batchSize;
    for (;;) {
      if (signal?.aborted) break;
      const batch = await rollUpBatch(orm, whose, limit, position, setAside);
      if (batch.failed) {
        // Halved until what fails is alone.
        limit = Math.ceil(batch.count / 2);
        if (batch.count === 1) addTo(setAside, batch);
        continue;
      }
      limit = Math.min(batchSize, limit * 2);
      done += batch.count;
      if (batch.count > 0) onProgress?.(done, Math.max(done, total));
      // A pass that began in the middle may have left something before it.
      if (batch.count === 0 && position === null) break;
      position = batch.count === 0 ? null : batch.position;
    }
  }
  if (done >= MANY && !signal?.aborted) await vacuumChangeLog(orm);
  if (setAside.users.length > known) throw new CannotRollUp(setAside, known);
  return done;
}

type Batch =
  | { failed: false; count: number; position: Position }
  | { failed: true; count: number; buckets: Buckets; reason: unknown };

/** Calls were dropped while their quarters were rolled up: all of it is undone. */
class DroppedMeanwhile extends Error {
  override readonly name = "DroppedMeanwhile";
}

async function rollUpBatch(
  orm: Database,
  whose: RollupsOf,
  limit: number,
  after: Position,
  setAside: SetAside,
): Promise<Batch> {
  let picked: Picked = { buckets: { users: [], quarters: [] }, count: 0, position: null };
  const takeTurn = async (session: SqlSession) => {
    // Rollers take turns: two that recompute buckets of the same day would each miss what the other has not committed.
    await session.execute(sql`select pg_advisory_xact_lock(${ROLLING})`);
    if (whose === "users") await noticeMissingMonths(session);
    picked = await pickChanges(session, whose, limit, after, setAside);
    const { buckets } = picked;
    if (buckets.users.length === 0) return;
    await recomputeRollups(session, whose, buckets);
    if (whose === "users") {
      // A partition can be detached between two statements of this transaction.
      if (await isAnyFrozen(session, buckets)) throw new DroppedMeanwhile();
      await logAllUsers(session, buckets.quarters);
      // Caches heard of it when it was committed, unless that was long after it was written, or they were not listening.
      await session.execute(sql`select announce_changes(${[...new Set(buckets.users)]}::text[])`);
    }
  };
  try {
    // Each statement must see what the one before it could not: calls that were committed while this waited for its turn.
    await inTransaction(orm, { isolationLevel: "read committed" }, (em) => takeTurn(sessionOf(em)));
  } catch (reason) {
    if (reason instanceof DroppedMeanwhile) return rollUpBatch(orm, whose, limit, after, setAside);
    const { buckets, count } = picked;
    if (count === 0 || !isBadData(reason)) throw reason;
    return { failed: true, count, buckets, reason };
  }
  return { failed: false, count: picked.count, position: picked.position };
}

function addTo(setAside: SetAside, { buckets, reason }: { buckets: Buckets; reason: unknown }): void {
  setAside.users.push(...buckets.users);
  setAside.quarters.push(...buckets.quarters);
  setAside.reasons.push(reason);
}
