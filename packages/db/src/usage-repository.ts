import { type UsageRepository } from "@usage-stats/core";
import { type Database } from "./database.ts";
import { databaseFailure } from "./database-failure.ts";
import { createExecute } from "./reading/execute.ts";
import { readCalls } from "./reading/read-calls.ts";
import { readRolledUpUsage } from "./reading/read-rolled-up-usage.ts";
import { type Execute, type ReadUsage } from "./reading/read-usage.ts";

/** Answers usage questions from Postgres. `read` says how: from rollups, or for checks from raw calls alone. */
export function createUsageRepository(orm: Database, read: ReadUsage = readRolledUpUsage): UsageRepository {
  const execute = createExecute(orm);

  async function measured<Facts>(signal: AbortSignal | undefined, run: (counted: Execute) => Promise<Facts>) {
    const started = performance.now();
    let statements = 0;
    try {
      const facts = await run((sql, params, how) => {
        statements += 1;
        return execute(sql, params, { isPrepared: how === "prepared", signal });
      });
      return { ...facts, statements, durationMs: performance.now() - started };
    } catch (error) {
      throw databaseFailure(error);
    }
  }

  return {
    read: (question, signal) => measured(signal, (counted) => read(counted, question)),
    readCalls: (question, parts, signal) =>
      measured(signal, (counted) => readCalls(counted, question, parts)),
  };
}
