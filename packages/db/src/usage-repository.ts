import { type UsageRepository } from "@usage-stats/core";
import { type Database } from "./database.ts";
import { databaseFailure } from "./database-failure.ts";
import { readCalls } from "./reading/read-calls.ts";
import { readRolledUpUsage } from "./reading/read-rolled-up-usage.ts";
import { createPreparedExecute } from "./prepared-statements.ts";
import { type Execute, type ReadUsage } from "./reading/read-usage.ts";

/** Answers usage questions from Postgres. `read` says how: from rollups, or for checks from raw calls alone. */
export function createUsageRepository(orm: Database, read: ReadUsage = readRolledUpUsage): UsageRepository {
  const prepared = createPreparedExecute(orm);

  async function measured<Facts>(run: (execute: Execute) => Promise<Facts>) {
    const started = performance.now();
    let statements = 0;
    try {
      const facts = await run((sql, params, how) => {
        statements += 1;
        return how === "prepared" ? prepared(sql, params) : orm.em.fork().execute(sql, params);
      });
      return { ...facts, statements, durationMs: performance.now() - started };
    } catch (error) {
      throw databaseFailure(error);
    }
  }

  return {
    read: (question) => measured((execute) => read(execute, question)),
    readCalls: (question, parts) => measured((execute) => readCalls(execute, question, parts)),
  };
}
