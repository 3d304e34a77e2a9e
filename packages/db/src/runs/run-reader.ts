import { type RunAggregates, type RunReader } from "@usage-stats/core";
import { type Database } from "../database.ts";
import { measuresOfStored, type StoredRow } from "../layout/stored-measures.ts";
import { createMeasured } from "../reading/measured.ts";
import { runsSql } from "./runs-sql.ts";

type RunRow = StoredRow & { run_id: string | null; parent_run_id: string | null };

/** Adds up the calls of runs and conversations from Postgres, along the indexes of a user's runs and conversations. */
export function createRunReader(orm: Database): RunReader {
  const measured = createMeasured(orm);
  return {
    readRuns: (query, signal) =>
      measured(signal, async (run) => ({ runs: (await run<RunRow>(runsSql(query))).map(runOf) })),
  };
}

function runOf(row: RunRow): RunAggregates["runs"][number] {
  return { runId: row.run_id, parentRunId: row.parent_run_id, measures: measuresOfStored(row) };
}
