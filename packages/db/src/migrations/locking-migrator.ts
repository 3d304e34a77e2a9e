import { type MikroORM } from "@mikro-orm/core";
import { Migrator } from "@mikro-orm/migrations";
import { type EntityManager } from "@mikro-orm/postgresql";

// Any constant will do, as long as every process that migrates uses it ("usage" in ASCII).
const LOCK = 0x7573616765;

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

  #locked<T>(migrate: () => Promise<T>): Promise<T> {
    const connection = this.driver.getConnection();
    return connection.transactional(async (transaction) => {
      await connection.execute("select pg_advisory_xact_lock(?)", [LOCK], "all", transaction);
      return migrate();
    });
  }
}
