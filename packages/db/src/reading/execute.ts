import { createHash } from "node:crypto";
import { lendConnection, nativePool } from "../connection/lend-connection.ts";
import { retryRead } from "../connection/retry-read.ts";
import { type Database } from "../database.ts";
import { numbered } from "../numbered-parameters.ts";

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
    const pool = await nativePool(orm);
    const { rows } = await retryRead(() =>
      signal === undefined
        ? pool.query(query)
        : lendConnection(orm, { signal }, (client) => client.query(query)),
    );
    return rows as Row[];
  };
}

/** The same for everyone who shares the pool. */
function nameOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 32);
}
