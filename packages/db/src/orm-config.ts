import { defineConfig, type Options } from "@mikro-orm/postgresql";
import { type Pool } from "pg";
import { type DatabaseState } from "./connection/check-database.ts";
import { connectionTarget } from "./connection/connection-target.ts";
import { clientConfig, DatabaseClient } from "./connection/database-client.ts";
import { lendFitConnections } from "./connection/lend-fit-connections.ts";
import { AdminActionEntity } from "./entities/admin-action.ts";
import { ApiKeyEntity } from "./entities/api-key.ts";
import {
  ModelCallShardEntity,
  ModelCallSliceEntity,
  ModelCallUserDayEntity,
} from "./entities/model-call-slice.ts";
import { ModelCallStatsEntity } from "./entities/model-call-stats.ts";
import { ModelCallEntity } from "./entities/model-call.ts";
import { ModelCallComboEntity, ModelCallModelEntity, ModelCallUserEntity } from "./entities/rollup-names.ts";
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
  /** Whether migrating prints nothing, which is the default where nobody is told. */
  silent?: boolean;
  /** Told how far a migration got that takes its time, instead of printing what migrating does. */
  onMigrating?: (progress: string) => void;
};

/** MikroORM's configuration for a database as it was found: for the server, the command line and `mikro-orm` alike. */
export function ormConfig(
  {
    url,
    poolSize = 10,
    connectTimeoutMs = 10_000,
    statementTimeoutMs,
    queryTimeoutMs,
    lockTimeoutMs,
    idleInTransactionTimeoutMs,
    applicationName = "usage-stats",
    onMigrating,
    silent = onMigrating === undefined,
  }: DatabaseSettings,
  { schema, searchPath, otherSchemas }: DatabaseState,
): Options {
  const settings = {
    url,
    applicationName,
    connectTimeoutMs,
    statementTimeoutMs,
    queryTimeoutMs,
    lockTimeoutMs,
    idleInTransactionTimeoutMs,
  };
  const config = clientConfig(settings, connectionTarget(url));
  if (searchPath !== null) {
    config.session.settings = { ...config.session.settings, search_path: searchPath };
  }
  return defineConfig({
    dbName: config.database!,
    ...(onMigrating !== undefined && { logger: tellProgress(onMigrating) }),
    schema,
    // A typing error must not make a database.
    ensureDatabase: false,
    entities: [
      ModelCallEntity,
      ModelCallStatsEntity,
      ModelCallSliceEntity,
      ModelCallUserDayEntity,
      ModelCallShardEntity,
      ModelCallUserEntity,
      ModelCallModelEntity,
      ModelCallComboEntity,
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
      ...config,
      Client: DatabaseClient,
      onPoolCreated: (pool: Pool) =>
        lendFitConnections(pool, { connectTimeoutMs: config.connectionTimeoutMillis!, queryTimeoutMs }),
    },
    // Functions, triggers and the change log, which has no key, are the migrations' own: MikroORM would ask to drop them.
    // MikroORM would ask to drop what others have in the same database, too.
    schemaGenerator: {
      ignoreSchema: otherSchemas,
      ignoreRoutines: true,
      ignoreTriggers: true,
      skipTables: [
        "model_call_changes",
        "model_call_commit_checks",
        "model_call_frozen_months",
        "model_call_reopened_quarters",
      ],
      skipViews: ["usage_rollups"],
    },
    // Snapshots do not know partitions: `migration:check` would ask to rebuild the table after every migration.
    migrations: {
      migrationsList,
      // Indexes of tables that are in use are built outside any transaction.
      allOrNothing: false,
      path: `${import.meta.dirname}/migrations`,
      snapshot: false,
      emit: "ts",
      silent,
    },
  });
}

// Which migrations there are is of no interest to whoever waits for one of them.
const ONE_BY_ONE = /(Processing|Applied|Reverting|Reverted) '/;

function tellProgress(onMigrating: (progress: string) => void): (line: string) => void {
  return (line) => {
    if (!ONE_BY_ONE.test(line)) onMigrating(line);
  };
}
