import { setTimeout as sleep } from "node:timers/promises";
import { IsolationLevel, type MikroORM } from "@mikro-orm/core";
import { Migrator } from "@mikro-orm/migrations";
import { type EntityManager } from "@mikro-orm/postgresql";

// Any constant will do, as long as every process that migrates uses it ("usage" in ASCII).
const LOCK = 0x7573616765;
const PAUSE_MS = 200;

/** MikroORM's migrator takes no lock; with this one, two processes that migrate at once take turns and the second finds nothing to do. */
export class LockingMigrator extends Migrator {
  // MikroORM looks for an extension of this name, and would register its own over ours.
  static override readonly name = "Migrator";

  static override register(orm: MikroORM): void {
    orm.config.registerExtension("@mikro-orm/migrator", () => new LockingMigrator(orm.em as EntityManager));
  }

  override up(options?: Parameters<Migrator["up"]>[0]): ReturnType<Migrator["up"]> {
    return this.#locked(() => super.up(options));
  }

  override down(options?: Parameters<Migrator["down"]>[0]): ReturnType<Migrator["down"]> {
    return this.#locked(() => super.down(options));
  }

  /**
   * Asks for the lock again and again rather than waiting for it: an index that is built concurrently waits for every statement that is
   * under way, and so for the one that waits for the lock of whoever builds it. For the same reason the lock is held without a snapshot.
   */
  async #locked<T>(migrate: () => Promise<T>): Promise<T> {
    const connection = this.driver.getConnection();
    for (;;) {
      const turn = await connection.transactional(
        async (transaction) => {
          const [lock] = await connection.execute<{ mine: boolean }[]>(
            "select pg_try_advisory_xact_lock(?) as mine",
            [LOCK],
            "all",
            transaction,
          );
          return lock!.mine ? { result: await migrate() } : null;
        },
        { isolationLevel: IsolationLevel.READ_COMMITTED },
      );
      if (turn !== null) return turn.result;
      await sleep(PAUSE_MS);
    }
  }
}
