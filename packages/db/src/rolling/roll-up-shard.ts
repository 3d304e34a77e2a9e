import sql from "sql-template-tag";
import { sessionOf } from "../connection/session.ts";
import { sqlStateOf } from "../connection/sqlstate.ts";
import { type Database } from "../database.ts";
import { inTransaction } from "../transaction.ts";
import { endReliance, findChanges, takeChanges, type Which } from "./change-log.ts";
import { isAnyFrozen, noticeMissingMonths } from "./frozen-quarters.ts";
import { recomputeRollups } from "./recompute-rollups.ts";
import { type Buckets, someOf } from "./rollup-buckets.ts";
import { isBadData, type SetAside } from "./set-aside.ts";
import { lockShard, type Shard } from "./shards.ts";

/** How many quarters are looked for at once: finding them takes a look at all that wait. */
const FOUND_AT_ONCE = 50_000;

const LOCK_NOT_AVAILABLE = "55P03";

/** How long a writer of the quarter under way is waited for. */
const RELIANCE_MS = 1_000;

export type RollUpShardOptions = {
  which: Which;
  batchSize: number;
  /** Whether to wait for another roller that has the shard. */
  waits: boolean;
  /** Told after every batch how many quarters it rolled up. */
  onBatch: (count: number) => void;
  signal: AbortSignal | undefined;
  setAside: SetAside;
};

/** Calls were dropped while their quarters were rolled up: all of it is undone. */
class DroppedMeanwhile extends Error {
  override readonly name = "DroppedMeanwhile";
}

/**
 * Rolls up every settled quarter of a shard's users that the change log names; or once those under way, of which there are always more. Says whether it
 * is done, or another roller is at it.
 */
export async function rollUpShard(
  orm: Database,
  shard: Shard,
  options: RollUpShardOptions,
): Promise<"done" | "busy"> {
  const { which, batchSize, onBatch, signal, setAside } = options;
  let limit = batchSize;
  for (;;) {
    const found = await findChanges(sessionOf(orm.em.fork()), shard, which, FOUND_AT_ONCE, setAside);
    if (found.users.length === 0) return "done";
    for (let i = 0; i < found.users.length;) {
      if (signal?.aborted) return "done";
      const batch = someOf(found, i, limit);
      const outcome = await rollUpBatch(orm, shard, batch, options);
      if (outcome.state === "busy") return "busy";
      if (outcome.state === "failed") {
        // Halved until what fails is alone.
        limit = Math.ceil(batch.users.length / 2);
        if (batch.users.length > 1) continue;
        setAside.users.push(...batch.users);
        setAside.quarters.push(...batch.quarters);
        setAside.reasons.push(outcome.reason);
      } else onBatch(outcome.count);
      i += batch.users.length;
      limit = Math.min(batchSize, limit * 2);
    }
    if (which === "open") return "done";
  }
}

type Outcome = { state: "busy" } | { state: "done"; count: number } | { state: "failed"; reason: unknown };

async function rollUpBatch(
  orm: Database,
  shard: Shard,
  batch: Buckets,
  options: Pick<RollUpShardOptions, "which" | "waits">,
): Promise<Outcome> {
  try {
    // Each statement must see what the one before it could not: calls that were committed while this waited for its turn.
    return await inTransaction(orm, { isolationLevel: "read committed" }, async (em) => {
      const session = sessionOf(em);
      if (!(await lockShard(session, shard, options.waits))) return { state: "busy" };
      if (options.which === "open") await endReliance(session, RELIANCE_MS);
      await noticeMissingMonths(session);
      const buckets = await takeChanges(session, batch);
      if (buckets.users.length === 0) return { state: "done", count: 0 };
      await recomputeRollups(session, shard.slice, buckets);
      // A partition can be detached between two statements of this transaction.
      if (await isAnyFrozen(session, buckets)) throw new DroppedMeanwhile();
      // Caches heard of it when it was committed, unless that was long after it was written, or they were not listening. They keep nothing
      // of the quarter under way.
      if (options.which === "settled")
        await session.execute(sql`select announce_changes(${[...new Set(buckets.users)]}::text[])`);
      return { state: "done", count: buckets.users.length };
    });
  } catch (reason) {
    if (reason instanceof DroppedMeanwhile) return rollUpBatch(orm, shard, batch, options);
    // Somebody writes the quarter under way and takes their time: it is rolled up the next time.
    if (options.which === "open" && sqlStateOf(reason) === LOCK_NOT_AVAILABLE)
      return { state: "done", count: 0 };
    if (!isBadData(reason)) throw reason;
    return { state: "failed", reason };
  }
}
