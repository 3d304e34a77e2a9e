import { type RollupScope } from "@usage-stats/core";
import { sessionOf } from "../connection/session.ts";
import { type Database } from "../database.ts";
import { inTransaction } from "../transaction.ts";
import { type Sql } from "sql-template-tag";
import { daysByMonth, extentOf, frozenIn, rollupChecks } from "./rollup-checks.ts";

/** A rollup row that is not what it should be; `null` is a row that is not there. */
export type RollupDifference = {
  table: string;
  grain: "quarter" | "hour" | "day";
  /** "" is all users together. */
  userDid: string;
  /** In UTC, such as 2026-11-25 10:15:00+00. */
  start: string;
  dimensions: Record<string, string>;
  expected: Record<string, number> | null;
  found: Record<string, number> | null;
};

export type Verification = {
  differences: RollupDifference[];
  /** How many rollup rows were compared, at every level of detail and grain; 0 where there is nothing in the scope. */
  compared: number;
  /** Quarters of an hour, of users and of all users together, that are over and wait to be rolled up: they are read from calls. */
  waiting: number;
  /** Quarters of users whose calls were dropped: there is nothing to compare what was rolled up of them with. */
  frozen: number;
  /** Whose rollups and calls they were. */
  users: number;
};

export type VerifyOptions = {
  /** Told how many of the comparisons, a month at a time, are done. */
  onProgress?(done: number, total: number): void;
};

type Extent = { first: string | null; last: string | null; users: string; waiting: string };
type CheckRow = RollupDifference & { compared: string };

/**
 * Compares rollups with what they are made of, bucket by bucket, in one snapshot. Quarters that wait in the change log are no
 * differences: answers read their calls. Nor are those whose calls were dropped.
 */
export async function verifyRollups(
  orm: Database,
  scope: RollupScope = {},
  { onProgress }: VerifyOptions = {},
): Promise<Verification> {
  return inTransaction(orm, { isolationLevel: "repeatable read", readOnly: true }, async (em) => {
    const session = sessionOf(em);
    const [row] = await session.execute<Extent>(extentOf(scope));
    const { first, last, users, waiting } = row!;
    const range = first === null ? null : { from: new Date(Number(first)), to: new Date(Number(last) + 1) };
    const verification: Verification = {
      differences: [],
      compared: 0,
      waiting: Number(waiting),
      frozen: 0,
      users: Number(users),
    };
    const checks: Sql[] = [];
    for (const days of range === null ? [] : daysByMonth(range)) {
      const [month] = await session.execute<{ missing: boolean; frozen: string }>(frozenIn(scope, days));
      verification.frozen += Number(month!.frozen);
      checks.push(...rollupChecks(scope, days, month!.missing));
    }
    for (const [done, check] of checks.entries()) {
      onProgress?.(done, checks.length);
      const rows = await session.execute<CheckRow>(check);
      verification.compared += Number(rows[0]!.compared);
      for (const { compared: _, ...difference } of rows)
        if (difference.table !== null) verification.differences.push(difference);
    }
    onProgress?.(checks.length, checks.length);
    return verification;
  });
}
