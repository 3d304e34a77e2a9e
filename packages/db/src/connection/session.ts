import { type PoolClient } from "pg";
import { numbered } from "../numbered-parameters.ts";

/** Runs statements, with `?` for their parameters, on one connection after the other or on a single one. MikroORM's `EntityManager` is one. */
export type Session = { execute<Rows>(sql: string, params?: unknown[]): Promise<Rows> };

/** Statements on one connection. `check` may throw before any of them is sent. */
export function sessionOn(client: PoolClient, check: () => void): Session {
  return {
    async execute<Rows>(sql: string, params: unknown[] = []) {
      check();
      const { rows } = await client.query({ text: numbered(sql), values: params });
      return rows as Rows;
    },
  };
}

/** Runs statements of a session on a connection in one transaction. Nothing is committed once the session's `check` throws. */
export async function inSessionTransaction<T>(
  client: PoolClient,
  session: Session,
  run: () => Promise<T>,
): Promise<T> {
  await session.execute("begin isolation level read committed");
  try {
    const result = await run();
    await session.execute("commit");
    return result;
  } catch (error) {
    await client.query("rollback").catch(() => {
      // The connection is gone, and its transaction with it; why is known already.
    });
    throw error;
  }
}
