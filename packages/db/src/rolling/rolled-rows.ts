import { type SqlSession } from "../connection/session.ts";
import { STORED, STORED_LIST } from "../layout/stored-measures.ts";
import sql, { raw } from "sql-template-tag";

const MEASURES = STORED.map(({ column, type }) => `${column} ${type}`).join(", ");

/** Where rows of `rolled_rows` come from. */
export const SOURCE = {
  /** Taken away: a fine row as it was, negated. */
  gone: -1,
  /** Left where it is, but counted in coarser rows from now on. */
  kept: 0,
  /** Added: a fine row as the calls say. */
  fresh: 1,
} as const;

export const ROLLED_ROW = `source, user_id, timestamp, item, keyless_id, type, model_id, ${STORED_LIST}`;

/**
 * Makes what one transaction of a roller works on, which is emptied when it commits: `rolled_calls`, the sums of calls by quarter and
 * names; `rolled_rows`, the fine rows that go and come, by ids; and `rolled_days`, the days they are in: how dense each was, and becomes.
 */
export async function makeRolledTables(session: SqlSession): Promise<void> {
  await session.execute(sql`
    create temp table if not exists rolled_calls (
      user_did text, timestamp int, type smallint, provider_id text, model text, app_did text, status text, key_id text, tags jsonb, ${raw(MEASURES)}
    ) on commit delete rows`);
  await session.execute(sql`
    create temp table if not exists rolled_rows (
      source smallint, user_id int, timestamp int, item int, keyless_id int, type smallint, model_id int, ${raw(MEASURES)}
    ) on commit delete rows`);
  await session.execute(sql`
    create temp table if not exists rolled_days (user_id int, day int, week int, was smallint, becomes smallint) on commit delete rows`);
}
