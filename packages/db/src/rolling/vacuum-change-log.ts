import sql from "sql-template-tag";
import { sessionOf } from "../connection/session.ts";
import { type Database } from "../database.ts";

/**
 * Vacuums the change log, so that what was rolled up leaves no pages that answers would look through. Waits for nobody's lock, and lets
 * go of its own as soon as somebody waits for it. A role that does not own the table is warned instead.
 */
export async function vacuumChangeLog(orm: Database): Promise<void> {
  const session = sessionOf(orm.em.fork());
  const [log] = await session.execute<{ role: string; vacuums: boolean }>(sql`
    select current_user as role, pg_has_role(relowner, 'usage') as vacuums from pg_class where oid = 'model_call_changes'::regclass`);
  if (log!.vacuums) await session.execute(sql`vacuum (skip_locked) model_call_changes`);
  else
    process.emitWarning(
      `The role "${log!.role}" does not own model_call_changes, and so cannot vacuum it after rolling up. Autovacuum does, within a minute.`,
    );
}
