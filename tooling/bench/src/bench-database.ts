import { type RankingRepository, type UsageRepository } from "@usage-stats/core";
import {
  createRankingRepository,
  createUsageRepository,
  type Database,
  migrate,
  openDatabase,
} from "@usage-stats/db";
import { readRawRanking, readRawUsage } from "@usage-stats/db/testing";
import { startTestPostgres } from "@usage-stats/dev-services/postgres";
import { Pool } from "pg";

/** What the cases ask. Plain pg for the original, which costs it less than an ORM would. Ten connections each. */
export type Connections = {
  repository: UsageRepository;
  /** Adds up raw calls: what every answer is checked against. */
  raw: UsageRepository;
  ranking: RankingRepository;
  /** Ranks raw calls: what every ranking is checked against. */
  rawRanking: RankingRepository;
  pool: Pool;
};

export type BenchDatabase = Connections & { orm: Database; stop(): Promise<void> };

/** An empty usage-stats database on a server of its own. Also removed when this process is killed. */
export async function startBenchDatabase(now: Date): Promise<BenchDatabase> {
  const server = await startTestPostgres();
  const orm = await openDatabase({ url: server.url });
  const pool = new Pool({ connectionString: server.url, max: 10, options: "-c jit=off -c TimeZone=UTC" });
  pool.on("error", () => {
    // Its server was stopped before it; whoever waits for a query is told by the query.
  });
  await migrate(orm, now);
  // Of its own, so that its statements leave nothing in the connections that are measured.
  const checking = await openDatabase({ url: server.url, poolSize: 1 });
  const stop = async () => {
    await Promise.allSettled([orm.close(), checking.close(), pool.end()]);
    await server.stop();
  };
  return {
    orm,
    repository: createUsageRepository(orm),
    raw: createUsageRepository(checking, readRawUsage),
    ranking: createRankingRepository(orm),
    rawRanking: createRankingRepository(checking, readRawRanking),
    pool,
    stop,
  };
}
