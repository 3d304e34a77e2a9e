import { type MikroORM } from "@mikro-orm/postgresql";
import { type CallChange, type CallRecorder, type RecordOutcome, UsageError } from "@usage-stats/core";
import { databaseFailure } from "../database-failure.ts";
import { inTransaction } from "../transaction.ts";
import { createPartitions } from "./partitions.ts";
import { retryTransaction } from "./retry-transaction.ts";
import { isOneStatement, writeChanges } from "./write-changes.ts";

/** Records calls in Postgres. Each `record` is one transaction: all that it made is durable, or none is. */
export function createCallRecorder(orm: MikroORM): CallRecorder {
  const partitions = createPartitions();

  async function write(changes: readonly CallChange[], atomic: boolean): Promise<RecordOutcome[]> {
    await partitions.ensure(
      orm.em.fork(),
      changes.flatMap((change) => ("void" in change ? [] : [change.callTime])),
    );
    // A statement is a transaction by itself, and beginning one takes as long as writing a call.
    if (!atomic && isOneStatement(changes)) return writeChanges(orm.em.fork(), changes);
    return inTransaction(orm, { isolationLevel: "read committed" }, async (transaction) => {
      const outcomes = await writeChanges(transaction, changes);
      if (atomic) refuseIncomplete(outcomes);
      return outcomes;
    });
  }

  return {
    async record(changes, { atomic = false } = {}) {
      try {
        return await retryTransaction(() =>
          write(changes, atomic).catch((error: unknown) => {
            if (!isMissingPartition(error)) throw error;
            // Retention, or a person, dropped a partition that was there a moment ago.
            partitions.forget();
            return write(changes, atomic);
          }),
        );
      } catch (error) {
        throw databaseFailure(error);
      }
    },
  };
}

function refuseIncomplete(outcomes: RecordOutcome[]): void {
  const index = outcomes.findIndex((outcome) => outcome === "unknown" || outcome === "stays void");
  if (index === -1) return;
  const reason =
    outcomes[index] === "unknown"
      ? "There is no such call to be voided."
      : "The call was voided, and stays so.";
  throw new UsageError("conflict", reason, { field: `calls.${index}` });
}

function isMissingPartition(error: unknown): boolean {
  return error instanceof Error && /no partition of relation "model_calls" found/.test(error.message);
}
