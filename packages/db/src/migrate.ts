import { explainMissingPrivilege } from "./connection/explain-missing-privilege.ts";
import { type Database } from "./database.ts";
import { ensurePartitionsAhead } from "./writing/partitions.ts";

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
