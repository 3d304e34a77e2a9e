import { createHash } from "node:crypto";
import { type Sql } from "sql-template-tag";
import { lendConnection, nativePool } from "../connection/lend-connection.ts";
import { retryRead } from "../connection/retry-read.ts";
import { type Database } from "../database.ts";

/**
 * Runs one statement that reads. A `prepared` one is planned once a connection, whatever its parameters: planning takes half of
 * the time of a short answer. Only for statements whose one good plan is to look everything up by index, because the plan is
 * kept while the tables grow.
 */
export type RunStatement = <Row>(statement: Sql, how?: "prepared") => Promise<Row[]>;

// Each connection keeps every statement that it prepared, and texts differ with the options of a query.
const MOST_STATEMENTS = 50;

/**
 * Makes what runs statements for as long as somebody waits for them, through MikroORM's own pool: MikroORM can neither name a
 * statement nor end one. Past a number of texts they are not prepared.
 */
export function createStatementRunner(orm: Database): (signal?: AbortSignal) => RunStatement {
  const texts = new Set<string>();

  function isKept(text: string): boolean {
    if (texts.size < MOST_STATEMENTS) texts.add(text);
    return texts.has(text);
  }

  return (signal) =>
    async <Row>({ text, values }: Sql, how?: "prepared") => {
      const name = how === "prepared" && isKept(text) ? nameOf(text) : undefined;
      const query = { text, values, ...(name !== undefined && { name }) };
      const pool = await nativePool(orm);
      const { rows } = await retryRead(() =>
        signal === undefined
          ? pool.query(query)
          : lendConnection(orm, { signal }, (client) => client.query(query)),
      );
      return rows as Row[];
    };
}

/** Names a statement the same for everyone who shares the pool. */
function nameOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 32);
}
