import { type RollupScope } from "@usage-stats/core";
import sql from "sql-template-tag";
import { sessionOf, type SqlSession } from "../connection/session.ts";
import { type Database } from "../database.ts";
import { EVERYONE, FINE } from "../layout/time-types.ts";
import { inTransaction } from "../transaction.ts";
import { callCheck } from "./call-check.ts";
import { rollupCheck } from "./rollup-checks.ts";
import { type CheckRow, differencesOf, type RollupDifference } from "./rollup-difference.ts";
import { inScope, monthsIn, type RowScope, rowScopeOf, rowsIn, startsIn, weeksIn } from "./rollup-scope.ts";

export type Verification = {
  differences: RollupDifference[];
  /** How many rollup rows were compared, at every level of detail and grain; 0 where there is nothing in the scope. */
  compared: number;
  /** Quarters of an hour of users that are over and wait to be rolled up: they are read from calls. */
  waiting: number;
  /** Quarters of users whose calls were dropped: there is nothing to compare what was rolled up of them with. */
  frozen: number;
  /** Whose rollups and calls they were. */
  users: number;
};

export type VerifyOptions = {
  /** Told how many of the comparisons, of months with calls and then of weeks, are done. */
  onProgress?(done: number, total: number): void;
};

/**
 * Compares rollups with what they are made of, in one snapshot, a week at a time: fine rows with calls, and everything else with fine
 * rows. Quarters that wait in the change log are no differences: answers read their calls. Nor are those whose calls were dropped.
 */
export async function verifyRollups(
  orm: Database,
  scope: RollupScope = {},
  { onProgress }: VerifyOptions = {},
): Promise<Verification> {
  return inTransaction(orm, { isolationLevel: "repeatable read", readOnly: true }, async (em) => {
    const session = sessionOf(em);
    const rows = await rowScopeOf(session, scope);
    const weeks = await weeksIn(session, scope, rows);
    const verification: Verification = {
      differences: [],
      compared: 0,
      frozen: 0,
      ...(await countUsers(session, scope, rows)),
    };
    const checks = [
      ...monthsIn(weeks, rows).map((month) => callCheck(scope, rows, month)),
      ...weeks.map((week) => rollupCheck({ ...rows, weeks: week })),
    ];
    for (const [done, check] of checks.entries()) {
      onProgress?.(done, checks.length);
      const checked = await session.execute<CheckRow & { frozen?: string }>(check);
      verification.compared += Number(checked[0]!.compared);
      verification.frozen += Number(checked[0]!.frozen ?? 0);
      verification.differences.push(...differencesOf(checked));
    }
    onProgress?.(checks.length, checks.length);
    return verification;
  });
}

async function countUsers(
  session: SqlSession,
  scope: RollupScope,
  rows: RowScope,
): Promise<Pick<Verification, "users" | "waiting">> {
  const [counted] = await session.execute<{ users: string; waiting: string }>(sql`
    with entries as materialized (
      select distinct user_did, quarter from model_call_changes where ${inScope(scope, "user_did", "quarter")})
    select (select count(*) from (
              select did from (
                select distinct user_id from model_call_stats
                 where user_id <> ${EVERYONE}::int and ${rowsIn(rows, FINE)} and ${startsIn(rows.starts)}) as of_users
                join model_call_users as users on users.id = user_id
              union select user_did from entries) as known) as users,
           (select count(*) from entries where quarter < quarter_of(clock_timestamp())) as waiting`);
  return { users: Number(counted!.users), waiting: Number(counted!.waiting) };
}
