import { type DatabaseCost } from "@usage-stats/core";
import { type Database } from "../database.ts";
import { databaseFailure } from "../database-failure.ts";
import { createSnapshotRunner, type RunInSnapshot } from "./snapshot-runner.ts";
import { createStatementRunner, type RunStatement } from "./statement-runner.ts";

/** Runs what reads, and tells what it cost. Throws `unavailable` where the database does not answer. */
export type Measured = <Answer>(
  signal: AbortSignal | undefined,
  read: (run: RunStatement) => Promise<Answer>,
) => Promise<Answer & DatabaseCost>;

/** Makes what measures reads of one pool: each statement sees a snapshot of its own. */
export function createMeasured(orm: Database): Measured {
  const runner = createStatementRunner(orm);
  return measuring((signal, read) => read(runner(signal)));
}

/** Makes the same for reads whose statements all see one snapshot. */
export function createMeasuredSnapshot(orm: Database): Measured {
  return measuring(createSnapshotRunner(orm));
}

function measuring(runAll: RunInSnapshot): Measured {
  return async (signal, read) => {
    const started = performance.now();
    let statements = 0;
    try {
      const aggregates = await runAll(signal, (run) =>
        read((statement, how) => {
          statements += 1;
          return run(statement, how);
        }),
      );
      return { ...aggregates, statements, durationMs: performance.now() - started };
    } catch (error) {
      throw databaseFailure(error);
    }
  };
}
