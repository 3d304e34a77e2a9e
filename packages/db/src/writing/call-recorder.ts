import { type CallChange, type CallRecorder, type RecordOutcome, UsageError } from "@usage-stats/core";
import { type PoolClient } from "pg";
import { lendConnection } from "../connection/lend-connection.ts";
import { inSessionTransaction, sessionOn } from "../connection/session.ts";
import { type Database } from "../database.ts";
import { databaseFailure } from "../database-failure.ts";
import { BegunTooLate } from "./begun-too-late.ts";
import { createDatabaseClock } from "./database-clock.ts";
import { createPartitions } from "./partitions.ts";
import { retryTransaction } from "./retry-transaction.ts";
import { isOneStatement, writeChanges } from "./write-changes.ts";
import { startWriteDeadline, type WriteDeadline } from "./write-deadline.ts";

/** Records calls in Postgres. Each `record` is one transaction: all that it made is durable, or none is. */
export function createCallRecorder(orm: Database): CallRecorder {
  const partitions = createPartitions();
  const clock = createDatabaseClock();

  async function write(
    client: PoolClient,
    changes: readonly CallChange[],
    atomic: boolean,
    { check, at }: WriteDeadline,
  ): Promise<RecordOutcome[]> {
    const session = sessionOn(client, check);
    await partitions.ensure(
      session,
      changes.flatMap((change) => ("void" in change ? [] : [change.callTime])),
    );
    // A statement is a transaction by itself, and beginning one takes as long as writing a call.
    if (!atomic && isOneStatement(changes))
      return writeChanges(session, changes, at === null ? null : await clock.at(session, at));
    // What was sent to a database that is frozen is done when it goes on, but not committed: nobody asks it to.
    return inSessionTransaction(client, session, async () => {
      const outcomes = await writeChanges(session, changes);
      if (atomic) refuseIncomplete(outcomes);
      return outcomes;
    });
  }

  return {
    async record(changes, { atomic = false, ...waiting } = {}) {
      const deadline = startWriteDeadline(waiting);
      try {
        return await retryTransaction(() =>
          lendConnection(orm, deadline, (client) =>
            write(client, changes, atomic, deadline).catch((error: unknown) => {
              // Retention, or a person, dropped a partition that was there a moment ago.
              if (isMissingPartition(error)) partitions.forget();
              // It is not too late here: the clocks do not go together any more.
              else if (error instanceof BegunTooLate) clock.forget();
              else throw error;
              return write(client, changes, atomic, deadline);
            }),
          ),
        );
      } catch (error) {
        throw databaseFailure(error);
      } finally {
        deadline.end();
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
