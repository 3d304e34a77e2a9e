import { createHash } from "node:crypto";
import { type Database } from "./database.ts";

// Each connection keeps every statement that it prepared, and texts differ with the options of a question.
const MOST_STATEMENTS = 50;

/**
 * Runs statements through MikroORM's own pool, prepared under a name, so that PostgreSQL plans each once a connection: planning
 * takes half of the time of a short answer, and MikroORM cannot name a statement. Only for statements whose one good plan is to
 * look everything up by index: the plan is kept while the tables grow. Past a number of texts they are not prepared.
 */
export function createPreparedExecute(
  orm: Database,
): <Row>(sql: string, params: unknown[]) => Promise<Row[]> {
  const texts = new Set<string>();
  return async <Row>(sql: string, params: unknown[]) => {
    const text = numbered(sql);
    if (texts.size < MOST_STATEMENTS) texts.add(text);
    const pool = await orm.em.getConnection().getNativeClient();
    const { rows } = await pool.query({
      text,
      values: params,
      ...(texts.has(text) && { name: nameOf(text) }),
    });
    return rows as Row[];
  };
}

/** The same for everyone who shares the pool. */
function nameOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 32);
}

/** PostgreSQL's `$1` for MikroORM's `?`; none of our statements has a question mark of its own. */
function numbered(sql: string): string {
  let n = 0;
  return sql.replaceAll("?", () => `$${(n += 1)}`);
}
