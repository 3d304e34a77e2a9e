import { type CallChange, type CallWriter, type RecordOutcome } from "@usage-stats/core";
import { lendConnection } from "../connection/lend-connection.ts";
import { type Database } from "../database.ts";
import { databaseFailure } from "../database-failure.ts";
import { createCallOrder } from "./call-order.ts";
import { retryTransaction } from "./retry-transaction.ts";
import { createSharedStatements } from "./shared-statements.ts";
import { isSmall } from "./shares-statement.ts";
import { isCall } from "./write-changes.ts";
import { createWriteAttempt, type WriteHow } from "./write-attempt.ts";
import { onWriteDeadline, startWriteDeadline, type WriteDeadline } from "./write-deadline.ts";

/**
 * Records calls in Postgres. Each `record` is one transaction: all that it made is durable, or none is. Small ones that come at the
 * same time share a statement (docs/decisions/0032-shared-statements.md). Those that name the same call are made in the order in
 * which they came.
 */
export function createCallWriter(orm: Database): CallWriter {
  const attempt = createWriteAttempt();
  const order = createCallOrder();
  const shared = createSharedStatements(orm, attempt, (calls, deadline) =>
    alone(calls, deadline, { isPlain: true }),
  );

  function alone(
    changes: readonly CallChange[],
    deadline: WriteDeadline,
    how: WriteHow,
  ): Promise<RecordOutcome[]> {
    return retryTransaction(() =>
      lendConnection(orm, deadline, (client) => attempt(client, changes, deadline, how)),
    );
  }

  return {
    async record(changes, { atomic = false, ...waiting } = {}) {
      const deadline = startWriteDeadline(waiting);
      const { earlier, hasRepeats, leave } = order.enter(changes);
      try {
        if (earlier !== null) await within(deadline, earlier);
        if (!atomic && !hasRepeats && changes.every(isCall))
          return isSmall(changes)
            ? await shared.write(changes, deadline)
            : await alone(changes, deadline, { isPlain: true });
        return await alone(changes, deadline, { atomic });
      } catch (error) {
        throw databaseFailure(error);
      } finally {
        leave();
        deadline.end();
      }
    },
  };
}

/** Waits for what others do, as long as a write may. */
async function within(deadline: WriteDeadline, others: Promise<unknown>): Promise<void> {
  deadline.check();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const stop = onWriteDeadline(deadline, reject);
  void others.then(() => resolve());
  try {
    await promise;
  } finally {
    stop();
  }
}
