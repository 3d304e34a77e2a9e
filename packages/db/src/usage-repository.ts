import { type UsageRepository } from "@usage-stats/core";
import { type Database } from "./database.ts";
import { databaseFailure } from "./database-failure.ts";
import { readRolledUpUsage } from "./reading/read-rolled-up-usage.ts";
import { type ReadUsage } from "./reading/read-usage.ts";

/** Answers usage questions from Postgres. `read` says how: from rollups, or for checks from raw calls alone. */
export function createUsageRepository(orm: Database, read: ReadUsage = readRolledUpUsage): UsageRepository {
  return {
    async read(question) {
      const em = orm.em.fork();
      const started = performance.now();
      let statements = 0;
      try {
        const facts = await read((sql, params) => {
          statements += 1;
          return em.execute(sql, params);
        }, question);
        return { ...facts, statements, durationMs: performance.now() - started };
      } catch (error) {
        throw databaseFailure(error);
      }
    },
  };
}
