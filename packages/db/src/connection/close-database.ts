import { type Database } from "../database.ts";
import { nativePool } from "./lend-connection.ts";

/** Closes a pool once what was lent is back. Kysely (0.29.6) does so only where it has run a statement itself. */
export async function closeDatabase(orm: Database): Promise<void> {
  const pool = await nativePool(orm);
  await orm.close();
  if (!pool.ending) await pool.end();
}
