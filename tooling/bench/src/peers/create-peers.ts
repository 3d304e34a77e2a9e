import { type Pool } from "pg";
import { type Progress } from "../progress.ts";
import { createDuckDb } from "./duckdb.ts";
import { createLitellm } from "./litellm.ts";
import { createLlmGateway } from "./llm-gateway.ts";
import { FETCH_DUCKDB, loadDuckDb } from "./load-duckdb.ts";
import { type Peer } from "./peer.ts";
import { createSqlite } from "./sqlite.ts";
import { streamCalls } from "./stream-calls.ts";

/** Fills every peer with the calls of a range. DuckDB is left out, and that is said, where nobody fetched it. */
export async function createPeers(
  pool: Pool,
  { from, to, progress }: { from: Date; to: Date; progress: Progress },
): Promise<Peer[]> {
  progress.show("filling the peers' tables");
  // A schema of their own, so that they are not counted among ours.
  await pool.query("create schema peers");
  const inPostgres = [await createLitellm(pool, from, to), await createLlmGateway(pool, from, to)];
  await pool.query("vacuum analyze peers.litellm_daily, peers.gateway_hourly");
  progress.show("filling SQLite");
  const calls = streamCalls(pool, from, to);
  const sqlite = await createSqlite(calls);
  const duckDb = loadDuckDb();
  if (duckDb === null)
    progress.say(`DuckDB is skipped: it is not here. To have it measured too: ${FETCH_DUCKDB}`);
  else progress.show("filling DuckDB");
  return [...inPostgres, ...sqlite, ...(duckDb === null ? [] : await createDuckDb(duckDb, calls))];
}
