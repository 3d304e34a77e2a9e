import { type PoolClient } from "pg";
import { lendConnection } from "../connection/lend-connection.ts";
import { planOnce } from "../connection/plan-once.ts";
import { retryRead } from "../connection/retry-read.ts";
import { type Statement } from "../connection/session.ts";
import { type Database } from "../database.ts";
import { createStatementNames, isTooLarge, ofAnySize, type RunStatement } from "./statement-runner.ts";

/** Runs statements that read, all of one snapshot: what they say was true at one moment. They may be run again from the first on. */
export type RunInSnapshot = <T>(
  signal: AbortSignal | undefined,
  read: (run: RunStatement) => Promise<T>,
) => Promise<T>;

/**
 * Makes what runs statements in one transaction, for what cannot be said in one. BEGIN and COMMIT are two round trips, and
 * the first statement takes the snapshot that all see. All are prepared, or none: the connection plans them in one way.
 */
export function createSnapshotRunner(orm: Database): RunInSnapshot {
  const nameOf = createStatementNames();

  function runOn(client: PoolClient, isOfAnySize: boolean): RunStatement {
    return async <Row>(statement: Statement) => {
      const { text, values } = isOfAnySize ? ofAnySize(statement) : statement;
      const name = isOfAnySize ? undefined : nameOf(text);
      const { rows } = await client.query({ text, values, ...(name !== undefined && { name }) });
      return rows as Row[];
    };
  }

  return async (signal = new AbortController().signal, read) => {
    const once = (isOfAnySize: boolean) =>
      retryRead(() =>
        lendConnection(orm, { signal }, async (client) => {
          // Before it begins: ROLLBACK takes settings back.
          await planOnce(client, !isOfAnySize);
          return inSnapshot(client, () => read(runOn(client, isOfAnySize)));
        }),
      );
    try {
      return await once(false);
    } catch (error) {
      // A failed statement ends its transaction.
      if (!isTooLarge(error)) throw error;
      return once(true);
    }
  };
}

async function inSnapshot<T>(client: PoolClient, read: () => Promise<T>): Promise<T> {
  await client.query("begin isolation level repeatable read read only");
  try {
    const result = await read();
    await client.query("commit");
    return result;
  } catch (error) {
    await client.query("rollback").catch(() => {
      // The connection is gone, and its transaction with it; why is known already.
    });
    throw error;
  }
}
