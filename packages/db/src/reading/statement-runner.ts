import { lendConnection } from "../connection/lend-connection.ts";
import { planOnce } from "../connection/plan-once.ts";
import { prepareStatement } from "../connection/prepared-statement.ts";
import { retryRead } from "../connection/retry-read.ts";
import { type Statement } from "../connection/session.ts";
import { sqlStateOf } from "../connection/sqlstate.ts";
import { type Database } from "../database.ts";

/**
 * Runs one statement that reads. A `prepared` one is planned once a connection, whatever its parameters: planning takes half of
 * the time of a short answer. Only for statements whose one good plan is to look everything up by index, because the plan is
 * kept while the tables grow.
 */
export type RunStatement = <Row>(statement: Statement, how?: "prepared") => Promise<Row[]>;

// Each connection keeps every statement that it prepared, and texts differ with the options of a query. A plan that knows 30 months of
// calls takes a megabyte, one that knows 200 takes two and a half.
const MOST_STATEMENTS = 30;

const NUMERIC_VALUE_OUT_OF_RANGE = "22003";

/**
 * Makes what runs statements for as long as somebody waits for them, through MikroORM's own pool: MikroORM can neither name a
 * statement nor end one. Past a number of texts they are not prepared.
 */
export function createStatementRunner(orm: Database): (signal?: AbortSignal) => RunStatement {
  const nameOf = createStatementNames();

  async function execute<Row>(
    { text, values }: Statement,
    name: string | undefined,
    signal = new AbortController().signal,
  ): Promise<Row[]> {
    const { rows } = await retryRead(() =>
      lendConnection(orm, { signal }, async (client) => {
        await planOnce(client, name !== undefined);
        return client.query({ text, values, ...(name !== undefined && { name }) });
      }),
    );
    return rows as Row[];
  }

  return (signal) =>
    async <Row>(statement: Statement, how?: "prepared") => {
      const name = how === "prepared" ? nameOf(statement.text) : undefined;
      try {
        return await execute<Row>(statement, name, signal);
      } catch (error) {
        if (!isTooLarge(error)) throw error;
        return execute<Row>(ofAnySize(statement), undefined, signal);
      }
    };
}

/** Makes what names the statements that are prepared, so many of them. */
export function createStatementNames(): (text: string) => string | undefined {
  const names = new Map<string, string>();
  return (text) => {
    const known = names.get(text);
    if (known !== undefined || names.size === MOST_STATEMENTS) return known;
    const { name } = prepareStatement({ text });
    names.set(text, name);
    return name;
  };
}

/** Says whether a statement met a sum that does not fit into a bigint. */
export function isTooLarge(error: unknown): boolean {
  return sqlStateOf(error) === NUMERIC_VALUE_OUT_OF_RANGE;
}

/** Adds up as numerics what does not fit into a bigint, so that it can be told which sum is too large, if it is. */
export function ofAnySize({ text, values }: Statement): Statement {
  return { text: text.replaceAll("sum8(", "sum("), values };
}
