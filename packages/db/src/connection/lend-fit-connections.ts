import { type Pool, type PoolClient } from "pg";
import { isConnectionUnfit, markTimedOut, sqlStateOf } from "./sqlstate.ts";

export type Waits = { connectTimeoutMs: number; queryTimeoutMs: number | undefined };

// A connection is asked whether it is still good where nothing has proved it for so long; the answer may take as long.
const PROOF_MS = 1_000;
// A connection to a server that takes no writes is made anew so often: a failover may have left it behind.
const READ_ONLY_MS = 5_000;

/**
 * Makes a pool lend connections that work. One on which a statement failed in a way that says that the next would fail too is
 * not taken back; one that nothing has proved for a second is asked first, because servers go away, and become read-only,
 * without a word. Whoever borrows has sent nothing by then, so that nothing is lost by trying another.
 */
export function lendFitConnections(pool: Pool, { connectTimeoutMs, queryTimeoutMs }: Waits): void {
  const unfit = new WeakSet<PoolClient>();
  const madeAt = new WeakMap<PoolClient, number>();
  const provedAt = new WeakMap<PoolClient, number>();
  // Connections not proved since a statement failed are asked; those not proved since one of them did not answer are dropped.
  let suspectedAt = Number.NEGATIVE_INFINITY;
  let distrustedAt = Number.NEGATIVE_INFINITY;

  pool.on("connect", (client) => {
    madeAt.set(client, performance.now());
    provedAt.set(client, performance.now());
    watchStatements(client, (error, took) => {
      if (!isConnectionUnfit(error)) return;
      unfit.add(client);
      suspectedAt = performance.now();
      if (sqlStateOf(error) !== null) return;
      if (queryTimeoutMs !== undefined && took >= queryTimeoutMs) markTimedOut(error);
      // The server said nothing: the connection is cut, or hangs in a statement that a ROLLBACK would wait for.
      void client.end();
    });
  });
  // The pool removes what is ending.
  pool.on("release", (_error, client) => {
    if (unfit.has(client)) void client.end();
  });

  async function isFit(client: PoolClient): Promise<boolean> {
    const proved = provedAt.get(client)!;
    if (proved < distrustedAt) return false;
    if (proved >= suspectedAt && performance.now() - proved < PROOF_MS) return true;
    const proof = {
      text: "select current_setting('transaction_read_only') as read_only",
      query_timeout: PROOF_MS,
    };
    try {
      const { rows } = await client.query<{ read_only: string }>(proof);
      provedAt.set(client, performance.now());
      return rows[0]!.read_only === "off" || performance.now() - madeAt.get(client)! < READ_ONLY_MS;
    } catch {
      distrustedAt = performance.now();
      return false;
    }
  }

  const connect = pool.connect.bind(pool) as () => Promise<PoolClient>;
  async function lend(): Promise<PoolClient> {
    for (;;) {
      const client = await timed(connect, connectTimeoutMs);
      const isGood = await isFit(client);
      if (isGood && !pool.ending) return client;
      client.release(!isGood);
      // Kysely (0.29.6) never gives back what it is lent once it has begun to close its pool, which then never closes.
      if (pool.ending) throw new Error("the pool is closing");
    }
  }

  pool.connect = ((tell?: (error?: unknown, client?: PoolClient, release?: unknown) => void) => {
    const lent = lend();
    if (tell === undefined) return lent;
    lent.then(
      (client) => tell(undefined, client, client.release),
      (error: unknown) => tell(error, undefined, () => {}),
    );
    return undefined;
  }) as typeof pool.connect;
}

/** Tells of every statement that fails, and how long it took, in milliseconds. */
function watchStatements(client: PoolClient, onFailure: (error: unknown, took: number) => void): void {
  const query = client.query.bind(client) as (...all: unknown[]) => unknown;
  client.query = ((...all: unknown[]) => {
    const began = performance.now();
    const tell = (error: unknown) => onFailure(error, performance.now() - began);
    const callback = all.at(-1);
    if (typeof callback === "function") {
      all[all.length - 1] = (error: unknown, ...rest: unknown[]) => {
        if (error) tell(error);
        callback(error, ...rest);
      };
    }
    const asked = query(...all);
    if (asked instanceof Promise) asked.catch(tell);
    return asked;
  }) as typeof client.query;
}

async function timed<T>(run: () => Promise<T>, limitMs: number): Promise<T> {
  const began = performance.now();
  try {
    return await run();
  } catch (error) {
    if (sqlStateOf(error) === null && performance.now() - began >= limitMs) markTimedOut(error);
    throw error;
  }
}
