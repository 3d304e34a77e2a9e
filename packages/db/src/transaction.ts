import { type EntityManager } from "@mikro-orm/postgresql";
import { type Database } from "./database.ts";

export type TransactionSettings = {
  isolationLevel: "read committed" | "repeatable read";
  readOnly?: boolean;
};

/**
 * Runs statements in one transaction. `em.transactional` would do, if it gave its connection back when ROLLBACK fails:
 * each connection that is cut then costs the pool one for ever (MikroORM 7.2.1 over Kysely's controlled transactions).
 */
export async function inTransaction<T>(
  orm: Database,
  { isolationLevel, readOnly = false }: TransactionSettings,
  run: (em: EntityManager) => Promise<T>,
): Promise<T> {
  let failure: { error: unknown } | undefined;
  try {
    return await orm.em
      .getKysely()
      .transaction()
      .setIsolationLevel(isolationLevel)
      .setAccessMode(readOnly ? "read only" : "read write")
      .execute(async (transaction) => {
        const em = orm.em.fork();
        em.setTransactionContext(transaction);
        try {
          return await run(em);
        } catch (error) {
          failure = { error };
          throw error;
        }
      });
  } catch (error) {
    // A ROLLBACK that fails too, on a connection that is gone, says nothing about why.
    throw failure === undefined ? error : failure.error;
  }
}
