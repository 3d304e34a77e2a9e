import { type Pool, type PoolClient } from "pg";
import { isConnectionUnfit, sqlStateOf } from "./sqlstate.ts";

/** Keeps a pool from taking back connections on which a statement failed in a way that says that the next would fail too. */
export function dropUnfitConnections(pool: Pool): void {
  const unfit = new WeakSet<PoolClient>();
  pool.on("connect", (client) =>
    watchStatements(client, (error) => {
      if (!isConnectionUnfit(error)) return;
      unfit.add(client);
      // Where the server said nothing the connection is cut, or hangs in a statement that a ROLLBACK would wait for.
      if (sqlStateOf(error) === null) void client.end();
    }),
  );
  // The pool removes what is ending.
  pool.on("release", (_error, client) => {
    if (unfit.has(client)) void client.end();
  });
}

function watchStatements(client: PoolClient, onFailure: (error: unknown) => void): void {
  const query = client.query.bind(client) as (...all: unknown[]) => unknown;
  client.query = ((...all: unknown[]) => {
    const callback = all.at(-1);
    if (typeof callback === "function") {
      all[all.length - 1] = (error: unknown, ...rest: unknown[]) => {
        if (error) onFailure(error);
        callback(error, ...rest);
      };
    }
    const asked = query(...all);
    if (asked instanceof Promise) asked.catch(onFailure);
    return asked;
  }) as typeof client.query;
}
