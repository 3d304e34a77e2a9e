import { UsageStatsError } from "@usage-stats/core";
import { DatabaseError, type Pool, type PoolClient } from "pg";
import { type Database } from "../database.ts";

/** How long somebody waits. Each signal's reason is thrown once it aborts. */
export type WaitSignals = {
  /** Ends the wait for a connection, and whatever was not sent yet. */
  signal: AbortSignal;
  /** Ends the statement that runs, too; `signal` where it is not given. */
  statementSignal?: AbortSignal;
};

/**
 * Lends a connection of MikroORM's own pool for as long as somebody waits: MikroORM can neither name a statement nor end one.
 * A connection whose statement nobody waits for is closed, and the database, which looks whether its client is still there
 * (`client_connection_check_interval`), ends it. Unlike cancelling by process, that cannot hit another's statement, and works
 * behind a pooler.
 */
export async function lendConnection<T>(
  orm: Database,
  { signal, statementSignal = signal }: WaitSignals,
  run: (client: PoolClient) => Promise<T>,
): Promise<T> {
  const client = await connect(await nativePool(orm), signal);
  let isReleased = false;
  const release = (unfit?: Error) => {
    if (!isReleased) client.release(unfit);
    isReleased = true;
  };
  const abort = () => release(new Error("nobody waits for the answer"));
  statementSignal.addEventListener("abort", abort);
  let unfit: Error | undefined;
  try {
    statementSignal.throwIfAborted();
    return await run(client);
  } catch (error) {
    // Whatever the database refused left the connection as it was.
    if (!(error instanceof DatabaseError || error instanceof UsageStatsError)) unfit = error as Error;
    throw statementSignal.aborted ? statementSignal.reason : error;
  } finally {
    statementSignal.removeEventListener("abort", abort);
    release(unfit);
  }
}

/** Gives the pool that MikroORM made. */
export function nativePool(orm: Database): Promise<Pool> {
  return orm.em.getConnection().getNativeClient();
}

/** The next free connection. Who leaves before it comes never uses it, so that it goes to the next in the same moment. */
function connect(pool: Pool, signal: AbortSignal): Promise<PoolClient> {
  const { promise, resolve, reject } = Promise.withResolvers<PoolClient>();
  if (signal.aborted) {
    reject(signal.reason as Error);
    return promise;
  }
  const leave = () => reject(signal.reason as Error);
  signal.addEventListener("abort", leave);
  void pool
    .connect()
    .then((client) => (signal.aborted ? client.release() : resolve(client)), reject)
    .finally(() => signal.removeEventListener("abort", leave));
  return promise;
}
