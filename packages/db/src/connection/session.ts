import { type EntityManager } from "@mikro-orm/postgresql";
import { CompiledQuery } from "kysely";
import { type PoolClient } from "pg";
import sql from "sql-template-tag";

/** A statement and its values, as `sql` makes it; or a prepared one, which has a name. */
export type Statement = { readonly text: string; readonly values: unknown[]; readonly name?: string };

/** Runs statements, on one connection after the other or on a single one; the driver sends their values beside the text. */
export type SqlSession = { execute<Row>(statement: Statement): Promise<Row[]> };

/** Runs statements on one connection. `check` may throw before any of them is sent. */
export function sessionOn(client: PoolClient, check: () => void): SqlSession {
  return {
    async execute<Row>({ text, values, name }: Statement) {
      check();
      const { rows } = await client.query(name === undefined ? { text, values } : { name, text, values });
      return rows as Row[];
    },
  };
}

/** Runs statements where an entity manager does: in its transaction, if it has one. Its own `execute` writes values into the text. */
export function sessionOf(em: EntityManager): SqlSession {
  return {
    async execute<Row>({ text, values }: Statement) {
      const { rows } = await em.getKysely().executeQuery(CompiledQuery.raw(text, values));
      return rows as Row[];
    },
  };
}

/** Runs statements of a session on a connection in one transaction. Nothing is committed once the session's `check` throws. */
export async function inSessionTransaction<T>(
  client: PoolClient,
  session: SqlSession,
  run: () => Promise<T>,
): Promise<T> {
  await session.execute(sql`begin isolation level read committed`);
  try {
    const result = await run();
    await session.execute(sql`commit`);
    return result;
  } catch (error) {
    await client.query("rollback").catch(() => {
      // The connection is gone, and its transaction with it; why is known already.
    });
    throw error;
  }
}
