import { Pool } from "pg";

/** Opens plain pg's connections to a server that is stopped before them. */
export function openPool(connectionString: string, max: number): Pool {
  const pool = new Pool({ connectionString, max, options: "-c jit=off -c TimeZone=UTC" });
  pool.on("error", () => {
    // Its server was stopped before it; whoever waits for a query is told by the query.
  });
  return pool;
}
