import { type Database } from "./database.ts";

/** Whether the database takes writes: a standby does not, nor does one that was set to read only. Throws where it does not answer. */
export async function takesWrites(orm: Database): Promise<boolean> {
  const [row] = await orm.em
    .fork()
    .execute<{ takes_writes: boolean }[]>(
      `select not (pg_is_in_recovery() or current_setting('transaction_read_only')::bool) as takes_writes`,
    );
  return row!.takes_writes;
}
