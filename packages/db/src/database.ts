import { MikroORM } from "@mikro-orm/postgresql";
import { type DatabaseSettings, ormConfig } from "./orm-config.ts";
import { ensurePartitionsAhead } from "./writing/partitions.ts";

/** An open pool of connections to a usage-stats database. */
export type Database = MikroORM;

/** Opens a pool of connections; none is made before the first statement. */
export function openDatabase(settings: DatabaseSettings): Promise<Database> {
  return MikroORM.init(ormConfig(settings));
}

/** Brings the schema up to date and makes the next months' partitions; gives the names of the migrations that ran. Safe to run twice, or from two processes. */
export async function migrate(orm: Database, now: Date): Promise<string[]> {
  const applied = await orm.migrator.up();
  await ensurePartitionsAhead(orm.em.fork(), now);
  return applied.map(({ name }) => name);
}

/** Whether the database answers and every migration has run. Throws where it does not answer. */
export async function isMigrated(orm: Database): Promise<boolean> {
  return (await orm.migrator.getPending()).length === 0;
}

/** Whether no call was ever recorded. */
export async function isEmpty(orm: Database): Promise<boolean> {
  const [row] = await orm.em
    .fork()
    .execute<{ empty: boolean }[]>("select not exists (select from model_calls) as empty");
  return row!.empty;
}
