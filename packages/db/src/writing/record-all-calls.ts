import { type ModelCall } from "@usage-stats/core";
import { sessionOf } from "../connection/session.ts";
import { type Database } from "../database.ts";
import { databaseFailure } from "../database-failure.ts";
import { inTransaction } from "../transaction.ts";
import { createPartitions } from "./partitions.ts";
import { writeChanges } from "./write-changes.ts";

const BATCH = 2_000;

/**
 * Records calls in one transaction, with the partitions they need: either all are durable when this returns how many they
 * were, or none is. Holds one batch of them at a time. Throws `unavailable` where the database does not answer.
 */
export async function recordAllCalls(
  orm: Database,
  calls: Iterable<ModelCall>,
  onProgress?: (recorded: number) => void,
  batchSize = BATCH,
): Promise<number> {
  const partitions = createPartitions();
  let recorded = 0;
  // What the caller's list throws, or whoever is told, says nothing of the database.
  let thrown: { error: unknown } | null = null;
  const own = <T>(run: () => T): T => {
    try {
      return run();
    } catch (error) {
      thrown = { error };
      throw error;
    }
  };
  try {
    await inTransaction(orm, { isolationLevel: "read committed" }, async (em) => {
      const session = sessionOf(em);
      const batches = batchesOf(calls, batchSize);
      for (;;) {
        const { value: batch, done } = own(() => batches.next());
        if (done === true) break;
        const notKept = await partitions.ensure(session, batch);
        if (notKept.size > 0)
          throw new Error(`${notKept.size} calls are of a time whose calls are no longer kept`);
        await writeChanges(session, batch);
        recorded += batch.length;
        own(() => onProgress?.(recorded));
      }
    });
  } catch (error) {
    throw thrown === null ? databaseFailure(error) : error;
  }
  return recorded;
}

function* batchesOf(calls: Iterable<ModelCall>, size: number): Generator<ModelCall[], void> {
  let batch: ModelCall[] = [];
  for (const call of calls) {
    batch.push(call);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
