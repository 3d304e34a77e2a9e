import { createHash } from "node:crypto";
import { type Pool, type QueryConfig } from "pg";
import { retryRead } from "../connection/retry-read.ts";
import { type Database } from "../database.ts";

export type ExecuteOptions = {
  /**
   * Planned once a connection, whatever its parameters: planning takes half of the time of a short answer. Only for statements whose
   * one good plan is to look everything up by index, because the plan is kept while the tables grow.
   */
  isPrepared?: boolean;
  /** Ends the statement: nobody waits for it any more. */
  signal?: AbortSignal | undefined;
};

// Each connection keeps every statement that it prepared, and texts differ with the options of a question.
const MOST_STATEMENTS = 50;

/**
 * Runs statements that read, through MikroORM's own pool: MikroORM can neither name a statement nor end one. Past a number of
 * texts they are not prepared.
 */
export function createExecute(
  orm: Database,
): <Row>(sql: string, params: unknown[], options?: ExecuteOptions) => Promise<Row[]> {
  const texts = new Set<string>();

  function isKept(text: string): boolean {
    if (texts.size < MOST_STATEMENTS) texts.add(text);
    return texts.has(text);
  }

  return async <Row>(sql: string, params: unknown[], { isPrepared = false, signal }: ExecuteOptions = {}) => {
    const text = numbered(sql);
    const name = isPrepared && isKept(text) ? nameOf(text) : undefined;
    const query = { text, values: params, ...(name !== undefined && { name }) };
    const pool: Pool = await orm.em.getConnection().getNativeClient();
    const { rows } = await retryRead(() =>
      signal === undefined ? pool.query(query) : untilAborted(pool, query, signal),
    );
    return rows as Row[];
  };
}

/**
 * Runs a statement until nobody wants it any more. Its connection is closed then, and the database, which looks whether its
 * client is still there (`client_connection_check_interval`), ends it. Unlike cancelling by process, that cannot hit another's
 * statement, and works behind a pooler. Throws the signal's reason.
 */
async function untilAborted(pool: Pool, query: QueryConfig, signal: AbortSignal) {
  signal.throwIfAborted();
  const client = await pool.connect();
  let failure: Error | undefined;
  let isReleased = false;
  const release = (error?: Error) => {
    if (!isReleased) client.release(error);
    isReleased = true;
  };
  const abort = () => release(new Error("nobody waits for the answer"));
  signal.addEventListener("abort", abort);
  try {
    signal.throwIfAborted();
    return await client.query(query);
  } catch (error) {
    failure = error as Error;
    throw signal.aborted ? signal.reason : error;
  } finally {
    signal.removeEventListener("abort", abort);
    release(failure);
  }
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
