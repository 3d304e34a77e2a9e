import { type DatabaseCost } from "@usage-stats/core";
import { type Database } from "../database.ts";
import { databaseFailure } from "../database-failure.ts";
import { createStatementRunner, type RunStatement } from "./statement-runner.ts";

/** Runs what reads, and tells what it cost. Throws `unavailable` where the database does not answer. */
export type Measured = <Answer>(
  signal: AbortSignal | undefined,
  read: (run: RunStatement) => Promise<Answer>,
) => Promise<Answer & DatabaseCost>;

/** Makes what measures reads of one pool. */
export function createMeasured(orm: Database): Measured {
  const runner = createStatementRunner(orm);
  return async (signal, read) => {
    const started = performance.now();
    const run = runner(signal);
    let statements = 0;
    try {
      const aggregates = await read((statement, how) => {
        statements += 1;
        return run(statement, how);
      });
      return { ...aggregates, statements, durationMs: performance.now() - started };
    } catch (error) {
      throw databaseFailure(error);
    }
  };
}
