import { type Database } from "../database.ts";
import { raw, type Sql } from "sql-template-tag";

// In which `lower` knows the letters of every script, whatever a database's own locale is; the first that is there. PostgreSQL 18 and 17
// have the first two; the third is there from 15 on where it was built with ICU, the last where the system's C library has it.
const COLLATIONS = ["pg_unicode_fast", "pg_c_utf8", "und-x-icu", "C.utf8"];

/** What has `lower` know every letter: ` collate "…"` to be put after a text, or nothing where a database has none that could. */
export type SearchCollation = () => Promise<Sql>;

/** Asks once; where there is none, searching tells letters apart by case as far as the database's own locale does, and a warning says so. */
export function createSearchCollation(orm: Database): SearchCollation {
  let found: Sql | null = null;
  return async () => {
    if (found !== null) return found;
    const rows = await orm.em.fork().execute<{ name: string }[]>(
      `select collname as name from pg_collation
        where collnamespace = 'pg_catalog'::regnamespace
          and collencoding in (-1, (select encoding from pg_database where datname = current_database()))`,
    );
    const names = new Set(rows.map(({ name }) => name));
    const best = COLLATIONS.find((name) => names.has(name));
    if (best === undefined) {
      process.emitWarning(
        `The database has none of the collations ${COLLATIONS.join(", ")}: searching ignores case only for letters that its own locale knows.`,
      );
    }
    found = raw(best === undefined ? "" : ` collate "${best}"`);
    return found;
  };
}
