import { type CallChange, type ModelCall, type RecordOutcome, UsageStatsError } from "@usage-stats/core";
import { type PoolClient } from "pg";
import { inSessionTransaction, type SqlSession, sessionOn } from "../connection/session.ts";
import { serverErrorOf } from "../connection/sqlstate.ts";
import { createDatabaseClock } from "./database-clock.ts";
import { createPartitions } from "./partitions.ts";
import { BegunTooLate } from "./upsert-model-calls.ts";
import { writeCalls, writeChanges } from "./write-changes.ts";
import { type WriteDeadline } from "./write-deadline.ts";

export type WriteHow = {
  /** Whether either all of them are made, or none and `conflict` is thrown. */
  atomic?: boolean;
  /** Whether they are known to be calls alone, each of them once. */
  isPlain?: boolean;
  /** How long to wait for another's lock; `null` for as long as the pool does. */
  lockTimeoutMs?: number | null;
};

/** Writes changes over a connection, in one transaction, and says for each, in order, what it did. Makes the partitions they need. */
export type AttemptWrite = (
  client: PoolClient,
  changes: readonly CallChange[],
  deadline: Pick<WriteDeadline, "at" | "check">,
  how?: WriteHow,
) => Promise<RecordOutcome[]>;

/** Makes what attempts to write. It remembers which partitions there are, and what the database's clock says. */
export function createWriteAttempt(): AttemptWrite {
  const partitions = createPartitions();
  const clock = createDatabaseClock();

  const write: AttemptWrite = async (client, changes, deadline, how = {}) => {
    const session = sessionOn(client, deadline.check);
    const notKept = await partitions.ensure(session, changes);
    if (notKept.size === 0) return writeKept(client, session, changes, deadline, how);
    if (how.atomic) refuseIncomplete(changes.map((_, index) => (notKept.has(index) ? "not_kept" : "added")));
    const kept = changes.filter((_, index) => !notKept.has(index));
    const outcomes = kept.length === 0 ? [] : await writeKept(client, session, kept, deadline, how);
    const written = outcomes.values();
    return changes.map((_, index) => (notKept.has(index) ? "not_kept" : written.next().value!));
  };

  async function writeKept(
    client: PoolClient,
    session: SqlSession,
    changes: readonly CallChange[],
    { at }: Pick<WriteDeadline, "at">,
    { atomic = false, isPlain = false, lockTimeoutMs = null }: WriteHow,
  ): Promise<RecordOutcome[]> {
    // A statement is a transaction by itself, and beginning one takes as long as writing a call.
    if (!atomic && isPlain) {
      const latest = at === null ? null : await clock.at(session, at);
      return writeCalls(session, changes as readonly ModelCall[], { latest, lockTimeoutMs });
    }
    // What was sent to a database that is frozen is done when it goes on, but not committed: nobody asks it to.
    return inSessionTransaction(client, session, async () => {
      const outcomes = await writeChanges(session, changes);
      if (atomic) refuseIncomplete(outcomes);
      return outcomes;
    });
  }

  return (...all) =>
    write(...all).catch((error: unknown) => {
      // Retention, or a person, dropped a partition that was there a moment ago, or another server made it anew.
      if (isAboutPartition(error)) partitions.forget();
      // It is not too late here: the clocks do not go together any more.
      else if (error instanceof BegunTooLate) clock.forget();
      else throw error;
      return write(...all);
    });
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
