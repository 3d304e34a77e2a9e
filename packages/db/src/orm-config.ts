import { defineConfig, type Options } from "@mikro-orm/postgresql";
import { dropUnfitConnections } from "./connection/drop-unfit-connections.ts";
import { AdminActionEntity } from "./entities/admin-action.ts";
import { ApiKeyEntity } from "./entities/api-key.ts";
import {
  ModelCallDetailStatsEntity,
  ModelCallModelStatsEntity,
  ModelCallStatsEntity,
} from "./entities/model-call-stats.ts";
import { ModelCallEntity } from "./entities/model-call.ts";
import { ServerSecretEntity } from "./entities/server-secret.ts";
import { migrationsList } from "./migrations/list.ts";
import { LockingMigrator } from "./migrations/locking-migrator.ts";
import { RollupNamingStrategy } from "./naming-strategy.ts";

export type DatabaseSettings = {
  url: string;
  /** Connections at the most. */
  poolSize?: number;
  /** How long to wait for a connection, to become free or to be made, in milliseconds. */
  connectTimeoutMs?: number;
  /** After this long the database gives a statement up, in milliseconds. */
  statementTimeoutMs?: number;
  /** After this long nobody waits for a statement any more, whether or not the database still answers, in milliseconds. */
  queryTimeoutMs?: number;
  /** After this long a statement that waits for a lock is given up, in milliseconds. */
  lockTimeoutMs?: number;
  /** After this long the database ends a transaction in which nothing happens, in milliseconds. */
  idleInTransactionTimeoutMs?: number;
  applicationName?: string;
  /** Whether migrating prints nothing, which is the default. */
  silent?: boolean;
};

/** MikroORM's configuration for a database: for the server, the command line and `mikro-orm` alike. */
export function ormConfig({
  url,
  poolSize = 10,
  connectTimeoutMs = 10_000,
  statementTimeoutMs,
  queryTimeoutMs,
  lockTimeoutMs,
  idleInTransactionTimeoutMs,
  applicationName = "usage-stats",
  silent = true,
}: DatabaseSettings): Options {
  return defineConfig({
    clientUrl: url,
    entities: [
      ModelCallEntity,
      ModelCallStatsEntity,
      ModelCallModelStatsEntity,
      ModelCallDetailStatsEntity,
      ApiKeyEntity,
      AdminActionEntity,
      ServerSecretEntity,
    ],
    extensions: [LockingMigrator],
    forceUtcTimezone: true,
    namingStrategy: RollupNamingStrategy,
    // Migrating holds its lock on one connection and works on another.
    pool: { max: Math.max(2, poolSize) },
    driverOptions: {
      application_name: applicationName,
      connectionTimeoutMillis: connectTimeoutMs,
      onPoolCreated: dropUnfitConnections,
      // What was acknowledged is on the database's disk, whatever else it is set to.
      // Compiling a statement, or starting workers for its thousand rows, takes longer than running any of ours. A statement ends
      // soon after its connection was closed, for nobody waits for it. Ranking many users within the default 4 MB takes twice as long.
      options:
        "-c jit=off -c max_parallel_workers_per_gather=0 -c client_connection_check_interval=250 -c work_mem=64MB -c synchronous_commit=on",
      ...(statementTimeoutMs !== undefined && { statement_timeout: statementTimeoutMs }),
      ...(queryTimeoutMs !== undefined && { query_timeout: queryTimeoutMs }),
      ...(lockTimeoutMs !== undefined && { lock_timeout: lockTimeoutMs }),
      ...(idleInTransactionTimeoutMs !== undefined && {
        idle_in_transaction_session_timeout: idleInTransactionTimeoutMs,
      }),
    },
    // Functions, triggers and the change log, which has no key, are the migrations' own: MikroORM would ask to drop them.
    schemaGenerator: { ignoreRoutines: true, ignoreTriggers: true, skipTables: ["model_call_changes"] },
    // Snapshots do not know partitions: `migration:check` would ask to rebuild the table after every migration.
    migrations: {
      migrationsList,
      path: `${import.meta.dirname}/migrations`,
      snapshot: false,
      emit: "ts",
      silent,
    },
  });
}
