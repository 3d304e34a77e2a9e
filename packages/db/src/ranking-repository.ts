import { type RankingRepository } from "@usage-stats/core";
import { type Database } from "./database.ts";
import { createMeasured } from "./reading/measured.ts";
import { type ReadRanking, readRolledUpRanking } from "./reading/read-ranking.ts";

/** Ranks users, apps and models from Postgres. `read` says how: from rollups, or for checks from raw calls alone. */
export function createRankingRepository(
  orm: Database,
  read: ReadRanking = readRolledUpRanking,
): RankingRepository {
  const measured = createMeasured(orm);
  return { readRanking: (question, signal) => measured(signal, (execute) => read(execute, question)) };
}
