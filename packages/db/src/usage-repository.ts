import {
  type AggregateQuery,
  type Aggregates,
  type TimeRange,
  type UsageRepository,
} from "@usage-stats/core";
import { type Database } from "./database.ts";
import { createMeasured, createMeasuredSnapshot } from "./reading/measured.ts";
import { readLatencies } from "./reading/read-latencies.ts";
import { type ReadUsage, readRolledUpUsage } from "./reading/read-rolled-up-usage.ts";
import { type RunStatement } from "./reading/statement-runner.ts";
import { sumCalls } from "./reading/sum-calls.ts";

/** Answers usage queries from Postgres. `read` says how: from rollups, or for checks from raw calls alone. */
export function createUsageRepository(orm: Database, read: ReadUsage = readRolledUpUsage): UsageRepository {
  const measured = createMeasured(orm);
  const measuredSnapshot = createMeasuredSnapshot(orm);

  /** Sums are one statement, and one snapshot by that; histograms of the same calls take another of the same snapshot. */
  function answer<Sums extends Aggregates>(
    query: AggregateQuery,
    parts: TimeRange[] | null,
    signal: AbortSignal | undefined,
    sums: (run: RunStatement) => Promise<Sums>,
  ) {
    if (query.latencies !== true) return measured(signal, sums);
    return measuredSnapshot(signal, async (run) => {
      const aggregates = await sums(run);
      return { ...aggregates, latencies: await readLatencies(run, query, aggregates, parts) };
    });
  }

  return {
    read: (query, signal) => answer(query, null, signal, (run) => read(run, query)),
    sumCalls: (query, parts, signal) => answer(query, parts, signal, (run) => sumCalls(run, query, parts)),
  };
}
