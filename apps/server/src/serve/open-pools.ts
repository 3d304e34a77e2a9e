import { type Database, openDatabase } from "@usage-stats/db";
import { type PoolName, type PoolSettings } from "../settings/settings.ts";

/**
 * Connections by what they are for, so that nothing waits behind what is slower than itself: reports and searches can keep
 * neither calls that come in waiting, nor who asks from being known, nor the server from being found ready.
 */
export type Pools = Record<PoolName | "readiness", Database>;

const READINESS_TIMEOUT_MS = 1_500;

// What a statement may take: of the database's time, and until nobody waits for a database that does not answer at all. A lock that
// somebody holds for long is not waited for to the end of it.
const PATIENCE = {
  reports: { statementTimeoutMs: 10_000, queryTimeoutMs: 12_000, lockTimeoutMs: 5_000 },
  // A search looks at every call of its range.
  lists: { statementTimeoutMs: 5_000, queryTimeoutMs: 7_000, lockTimeoutMs: 3_000 },
  ingest: { statementTimeoutMs: 10_000, queryTimeoutMs: 12_000, lockTimeoutMs: 5_000 },
  identity: { statementTimeoutMs: 3_000, queryTimeoutMs: 4_000, lockTimeoutMs: 2_000 },
  readiness: {
    statementTimeoutMs: READINESS_TIMEOUT_MS,
    queryTimeoutMs: READINESS_TIMEOUT_MS,
    lockTimeoutMs: 1_000,
  },
};

// A COMMIT that was sent to a frozen database is not done when it goes on after this long: the transaction is ended first.
const IDLE_IN_TRANSACTION_MS = 5_000;

/** Opens the pool whose statements may take their time: migrations, rolling up, rebuilding. */
export function openWorkerPool(url: string, { worker }: PoolSettings): Promise<Database> {
  return openDatabase({
    url,
    poolSize: worker,
    applicationName: "usage-stats worker",
    onMigrating: console.error,
  });
}

/** Opens all the others. */
export async function openRequestPools(url: string, settings: PoolSettings): Promise<Omit<Pools, "worker">> {
  const open = (name: keyof typeof PATIENCE, poolSize: number, connectTimeoutMs = settings.waitMs) =>
    openDatabase({
      url,
      poolSize,
      connectTimeoutMs,
      idleInTransactionTimeoutMs: IDLE_IN_TRANSACTION_MS,
      applicationName: `usage-stats ${name}`,
      ...PATIENCE[name],
    });
  return {
    reports: await open("reports", settings.reports),
    lists: await open("lists", settings.lists),
    ingest: await open("ingest", settings.ingest),
    identity: await open("identity", settings.identity),
    readiness: await open("readiness", 1, READINESS_TIMEOUT_MS),
  };
}
