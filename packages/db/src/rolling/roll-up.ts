import { type Database } from "../database.ts";
import { sessionOf } from "../connection/session.ts";
import { areManyOpen, countChanges, type Which } from "./change-log.ts";
import { noticeMissingMonths } from "./frozen-quarters.ts";
import { rollUpShard, type RollUpShardOptions } from "./roll-up-shard.ts";
import { CannotRollUp, nothingSetAside, type SetAside } from "./set-aside.ts";
import { listShards, type Shard } from "./shards.ts";
import { vacuumChangeLog } from "./vacuum-change-log.ts";

/** A batch's size in quarters of users: larger ones gain little and hold their transaction longer (docs/decisions/0003-rolling-up.md). */
export const DEFAULT_BATCH = 2_000;

/** So many slow nobody down who reads, and more gain little: all of them wait for each other at the rows of all users together. */
const DEFAULT_ROLLERS = 2;

/** Entries of fewer quarters than these are left to autovacuum. */
const MANY = 10_000;

/** From so many users on, the quarter under way is rolled up, too. */
const MANY_OPEN = 2_000;

export type RollUpOptions = {
  /** How many quarters one transaction rolls up. */
  batchSize?: number;
  /** How many shards are rolled up at the same time, each on a connection. */
  rollers?: number;
  /** Whether to roll up the quarter under way, too, where the change log names it of many users: answers about everybody would read all their calls. */
  includesOpen?: boolean;
  /** Told after every batch how many quarters are done, and how many there were to do at the beginning. */
  onProgress?: (done: number, total: number) => void;
  /** Ends after the batches under way. */
  signal?: AbortSignal;
  /** Quarters to leave alone, to which those are added that turn out to be impossible. */
  setAside?: SetAside;
};

/**
 * Rolls up every settled quarter that the change log names, until nothing is left; gives how many it rolled up. Each batch is one transaction
 * that has a shard of the users to itself: it may be killed, and run by several processes at once, each at another shard, without any answer
 * ever being wrong. A quarter that cannot be rolled up holds up no other: when the rest is done, `CannotRollUp` is thrown, which names
 * those that were not set aside before.
 */
export async function rollUp(orm: Database, options: RollUpOptions = {}): Promise<number> {
  const {
    batchSize = DEFAULT_BATCH,
    rollers = DEFAULT_ROLLERS,
    onProgress,
    signal,
    setAside = nothingSetAside(),
  } = options;
  const total = onProgress ? await countChanges(orm) : 0;
  const known = setAside.users.length;
  let done = 0;
  const onBatch = (count: number) => {
    done += count;
    onProgress?.(done, Math.max(done, total));
  };
  await noticeMissingMonths(sessionOf(orm.em.fork()));
  const each = { batchSize, onBatch, signal, setAside };
  await rollUpShards(orm, "settled", rollers, each);
  // Nobody may rely on its entries meanwhile, which one roller sees to at a time.
  if (options.includesOpen && (await areManyOpen(sessionOf(orm.em.fork()), MANY_OPEN)))
    await rollUpShards(orm, "open", 1, each);
  if (done >= MANY && !signal?.aborted) await vacuumChangeLog(orm);
  if (setAside.users.length > known) throw new CannotRollUp(setAside, known);
  return done;
}

async function rollUpShards(
  orm: Database,
  which: Which,
  rollers: number,
  options: Omit<RollUpShardOptions, "which" | "waits">,
): Promise<void> {
  // What another roller is at comes last: by then it is mostly done.
  const free = await listShards(orm);
  const busy: Shard[] = [];
  async function work(): Promise<void> {
    for (;;) {
      const waits = free.length === 0;
      const shard = free.shift() ?? busy.shift();
      if (shard === undefined || options.signal?.aborted) return;
      const state = await rollUpShard(orm, shard, { ...options, which, waits });
      if (state === "busy") busy.push(shard);
    }
  }
  await Promise.all(Array.from({ length: rollers }, work));
}
