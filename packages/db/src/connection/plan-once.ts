import { type PoolClient } from "pg";

const planningOnce = new WeakSet<PoolClient>();

/**
 * Has a connection plan its prepared statements once, or every statement anew, from now on. Left to itself PostgreSQL compares what it
 * thinks that running either plan costs, and takes a plan for any time, which finds its partitions only when it starts, for a dear one.
 */
export async function planOnce(client: PoolClient, isOnce: boolean): Promise<void> {
  if (planningOnce.has(client) === isOnce) return;
  await client.query(`set plan_cache_mode = ${isOnce ? "force_generic_plan" : "auto"}`);
  if (isOnce) planningOnce.add(client);
  else planningOnce.delete(client);
}
