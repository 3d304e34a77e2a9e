import { setTimeout as sleep } from "node:timers/promises";
import { Migration } from "@mikro-orm/migrations";
import { type PostgreSqlConnection } from "@mikro-orm/postgresql";
import { type Pool, type PoolClient } from "pg";
import { sqlStateOf } from "../connection/sqlstate.ts";

// While a statement waits for a lock, everybody else waits behind it: so not for long, and rather often.
const LOCK_TIMEOUT_MS = 500;
const PAUSE_MS = 1_500;
const TRIES = 200;

// The lock was not to be had; a circle of waiting was broken.
const BLOCKED = /^(55P03|40P01)$/;

// node-pg takes 0 for "as the connection says".
const FOR_EVER_MS = 2 ** 31 - 1;

/** Runs a statement of a transaction. */
export type Run = <Row>(sql: string) => Promise<Row[]>;

/**
 * A migration of tables that are read and written meanwhile. It is no transaction: whatever it does, it must find out what an
 * earlier try, which ended midway, has done already.
 */
export abstract class OnlineMigration extends Migration {
  override isTransactional(): boolean {
    return false;
  }

  /** Runs a statement that takes its time and holds up nobody, such as `create index concurrently`, outside any transaction. */
  protected async outsideTransaction<Row>(sql: string): Promise<Row[]> {
    return this.#onOneConnection((client) => run<Row>(client, sql));
  }

  /**
   * Runs statements that take locks which others must wait for, but need no time, in one transaction. Where the locks are not to be had
   * at once, it lets go of all of them and tries again, for minutes.
   */
  protected async briefly(statements: readonly string[]): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.inTransaction(async (execute) => {
          await execute(`set local lock_timeout = ${LOCK_TIMEOUT_MS}`);
          for (const statement of statements) await execute(statement);
        });
      } catch (error) {
        if (!BLOCKED.test(sqlStateOf(error) ?? "") || tries === TRIES) throw error;
        await sleep(PAUSE_MS);
      }
    }
  }

  /** Runs one transaction that takes its time, and no lock that anybody would wait for. */
  protected async inTransaction<T>(work: (run: Run) => Promise<T>): Promise<T> {
    return this.#onOneConnection((client) => inTransaction(client, work));
  }

  /** Tells how far it got, where migrating tells anything. */
  protected tell(progress: string): void {
    if (this.config.get("migrations").silent === true) return;
    this.config.getLogger().log("migrator", progress, { enabled: true });
  }

  async #onOneConnection<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    const connection = this.driver.getConnection() as PostgreSqlConnection;
    const pool: Pool = await connection.getNativeClient();
    const client = await pool.connect();
    try {
      return await work(client);
    } finally {
      client.release();
    }
  }
}

async function inTransaction<T>(client: PoolClient, work: (run: Run) => Promise<T>): Promise<T> {
  // What it was locked for must be seen by the statement after it.
  await run(client, "begin isolation level read committed read write");
  try {
    const result = await work((sql) => run(client, sql));
    await run(client, "commit");
    return result;
  } catch (error) {
    await client.query("rollback").catch(() => {
      // The connection is gone, and its transaction with it.
    });
    throw error;
  }
}

async function run<Row>(client: PoolClient, text: string): Promise<Row[]> {
  const query = { text, query_timeout: FOR_EVER_MS };
  return (await client.query(query)).rows as Row[];
}
