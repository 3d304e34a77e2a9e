import { type CallChange, type CallWriter, type RecordOutcome, UsageStatsError } from "@usage-stats/core";
import { type PoolClient } from "pg";
import { lendConnection } from "../connection/lend-connection.ts";
import { inSessionTransaction, type SqlSession, sessionOn } from "../connection/session.ts";
import { serverErrorOf } from "../connection/sqlstate.ts";
import { type Database } from "../database.ts";
import { databaseFailure } from "../database-failure.ts";
import { createDatabaseClock } from "./database-clock.ts";
import { createPartitions } from "./partitions.ts";
import { retryTransaction } from "./retry-transaction.ts";
import { BegunTooLate } from "./upsert-model-calls.ts";
import { isOneStatement, writeChanges } from "./write-changes.ts";
import { startWriteDeadline, type WriteDeadline } from "./write-deadline.ts";

/** Records calls in Postgres. Each `record` is one transaction: all that it made is durable, or none is. */
export function createCallWriter(orm: Database): CallWriter {
  const partitions = createPartitions();
  const clock = createDatabaseClock();

  async function write(
    client: PoolClient,
    changes: readonly CallChange[],
    atomic: boolean,
    { check, at }: WriteDeadline,
  ): Promise<RecordOutcome[]> {
    const session = sessionOn(client, check);
    const notKept = await partitions.ensure(session, changes);
    if (notKept.size === 0) return writeKept(client, session, changes, atomic, at);
    if (atomic) refuseIncomplete(changes.map((_, index) => (notKept.has(index) ? "not_kept" : "added")));
    const kept = changes.filter((_, index) => !notKept.has(index));
    const outcomes = kept.length === 0 ? [] : await writeKept(client, session, kept, atomic, at);
    const written = outcomes.values();
    return changes.map((_, index) => (notKept.has(index) ? "not_kept" : written.next().value!));
  }

  async function writeKept(
    client: PoolClient,
    session: SqlSession,
    changes: readonly CallChange[],
    atomic: boolean,
    at: number | null,
  ): Promise<RecordOutcome[]> {
    // A statement is a transaction by itself, and beginning one takes as long as writing a call.
    if (!atomic && isOneStatement(changes))
      return writeChanges(session, changes, {
        latest: at === null ? null : await clock.at(session, at),
        lockTimeoutMs: null,
      });
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
              // Retention, or a person, dropped a partition that was there a moment ago, or another server made it anew.
              if (isAboutPartition(error)) partitions.forget();
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

const INCOMPLETE: Partial<Record<RecordOutcome, string>> = {
  unknown: "There is no such call to be voided.",
  stays_void: "The call was voided, and stays so.",
  not_kept: "Calls of its time are no longer kept.",
};

function refuseIncomplete(outcomes: RecordOutcome[]): void {
  for (const [index, outcome] of outcomes.entries()) {
    const reason = INCOMPLETE[outcome];
    if (reason !== undefined) throw new UsageStatsError("conflict", reason, { field: `calls.${index}` });
  }
}

const CHECK_VIOLATION = "23514";

/** Whether no partition takes a call, or one that was made anew keeps what was rolled up before: never told by words, which are in the server's language. */
function isAboutPartition(error: unknown): boolean {
  const said = serverErrorOf(error);
  if (said?.code !== CHECK_VIOLATION) return false;
  const { table, constraint } = said;
  return (table === "model_calls" && constraint === undefined) || constraint === "model_calls_frozen_check";
}
