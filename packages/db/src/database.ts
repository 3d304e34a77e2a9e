import { MikroORM, type Options } from "@mikro-orm/postgresql";
import { checkDatabase } from "./connection/check-database.ts";
import { type DatabaseSettings, ormConfig } from "./orm-config.ts";

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
