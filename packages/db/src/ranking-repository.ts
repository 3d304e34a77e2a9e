import { type RankingRepository } from "@usage-stats/core";
import { type Database } from "./database.ts";
import { createMeasured } from "./reading/measured.ts";
import { createSearchCollation } from "./reading/search-collation.ts";
import { empty } from "sql-template-tag";
import { type ReadRanking, readRolledUpRanking } from "./reading/read-ranking.ts";

/** Ranks users, apps and models from Postgres. `read` says how: from rollups, or for checks from raw calls alone. */
export function createRankingRepository(
  orm: Database,
  read: ReadRanking = readRolledUpRanking,
): RankingRepository {
  const measured = createMeasured(orm);
  const searchCollation = createSearchCollation(orm);
  return {
    readRanking: (query, signal) =>
      measured(signal, async (run) =>
        read(run, query, query.search === null ? empty : await searchCollation()),
      ),
  };
}
