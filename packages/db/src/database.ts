import { MikroORM, type Options } from "@mikro-orm/postgresql";
import { checkDatabase } from "./connection/check-database.ts";
import { explainMissingPrivilege } from "./connection/explain-missing-privilege.ts";
import { nativePool } from "./connection/lend-connection.ts";
import { type DatabaseSettings, ormConfig } from "./orm-config.ts";
import { ensurePartitionsAhead } from "./writing/partitions.ts";

/** An open pool of connections to a usage-stats database. */
export type Database = MikroORM;

/** Makes MikroORM's configuration for a database that is fit for use. Throws `ConnectionRefusal`, which says in one sentence why it is not. */
export async function checkedOrmConfig(settings: DatabaseSettings): Promise<Options> {
  return ormConfig(settings, await checkDatabase(settings.url));
}

/** Opens a pool of connections to it, with the same care. */
export async function openDatabase(settings: DatabaseSettings): Promise<Database> {
  return MikroORM.init(await checkedOrmConfig(settings));
}

/** Closes a pool once what was lent is back. Kysely (0.29.6) does so only where it has run a statement itself. */
export async function closeDatabase(orm: Database): Promise<void> {
  const pool = await nativePool(orm);
  await orm.close();
  if (!pool.ending) await pool.end();
}

/**
 * Brings the schema up to date and makes the next months' partitions; gives the names of the migrations that ran. Safe to run twice,
 * or from two processes. Throws `ConnectionRefusal` where the role may not.
 */
export async function migrate(orm: Database, now: Date): Promise<string[]> {
  try {
    const applied = await orm.migrator.up();
    await ensurePartitionsAhead(orm, now);
    return applied.map(({ name }) => name);
  } catch (error) {
    throw (await explainMissingPrivilege(orm, error)) ?? error;
  }
}

/** Says whether the database answers and every migration has run. Throws where it does not answer. */
export async function isMigrated(orm: Database): Promise<boolean> {
  return (await orm.migrator.getPending()).length === 0;
}

/** Says whether no call was ever recorded. */
export async function isEmpty(orm: Database): Promise<boolean> {
  const [row] = await orm.em
    .fork()
    .execute<{ empty: boolean }[]>("select not exists (select from model_calls) as empty");
  return row!.empty;
}

/** Says whether the database takes writes: a standby does not, nor does one that was set to read only. Throws where it does not answer. */
export async function takesWrites(orm: Database): Promise<boolean> {
  const [row] = await orm.em
    .fork()
    .execute<{ takes_writes: boolean }[]>(
      `select not (pg_is_in_recovery() or current_setting('transaction_read_only')::bool) as takes_writes`,
    );
  return row!.takes_writes;
}
