import { type UsageRepository } from "@usage-stats/core";
import { type Database } from "./database.ts";
import { createMeasured } from "./reading/measured.ts";
import { sumCalls } from "./reading/sum-calls.ts";
import { type ReadUsage, readRolledUpUsage } from "./reading/read-rolled-up-usage.ts";

/** Answers usage queries from Postgres. `read` says how: from rollups, or for checks from raw calls alone. */
export function createUsageRepository(orm: Database, read: ReadUsage = readRolledUpUsage): UsageRepository {
  const measured = createMeasured(orm);
  return {
    read: (query, signal) => measured(signal, (run) => read(run, query)),
    sumCalls: (query, parts, signal) => measured(signal, (run) => sumCalls(run, query, parts)),
  };
}
