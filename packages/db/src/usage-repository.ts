import { type UsageRepository } from "@usage-stats/core";
import { type Database } from "./database.ts";
import { createMeasured } from "./reading/measured.ts";
import { readCalls } from "./reading/read-calls.ts";
import { readRolledUpUsage } from "./reading/read-rolled-up-usage.ts";
import { type ReadUsage } from "./reading/read-usage.ts";

/** Answers usage questions from Postgres. `read` says how: from rollups, or for checks from raw calls alone. */
export function createUsageRepository(orm: Database, read: ReadUsage = readRolledUpUsage): UsageRepository {
  const measured = createMeasured(orm);
  return {
    read: (question, signal) => measured(signal, (execute) => read(execute, question)),
    readCalls: (question, parts, signal) =>
      measured(signal, (execute) => readCalls(execute, question, parts)),
  };
}
