import { type DatabaseCost } from "@usage-stats/core";
import { type Database } from "../database.ts";
import { databaseFailure } from "../database-failure.ts";
import { createExecute } from "./execute.ts";
import { type Execute } from "./read-usage.ts";

/** Runs what reads, and tells what it cost. Throws `unavailable` where the database does not answer. */
export type Measured = <Facts>(
  signal: AbortSignal | undefined,
  run: (execute: Execute) => Promise<Facts>,
) => Promise<Facts & DatabaseCost>;

export function createMeasured(orm: Database): Measured {
  const execute = createExecute(orm);
  return async (signal, run) => {
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
  };
}
