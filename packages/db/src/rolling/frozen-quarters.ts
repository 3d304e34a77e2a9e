import { type SqlSession } from "../connection/session.ts";
import sql, { raw, type Sql } from "sql-template-tag";
import { type Buckets } from "./rollup-buckets.ts";

/**
 * Freezes the rollups of months whose calls were dropped or detached, whoever did it; has those count again that were attached
 * again (docs/decisions/0014-frozen-quarters.md).
 */
export async function noticeMissingMonths(session: SqlSession): Promise<void> {
  await session.execute(sql`select notice_missing_months()`);
}

/**
 * Says whether the rollup of a user's quarter stays as it is, because its calls are gone: as `is_frozen` in the database says, but for
 * many rows at once. All users together are rolled up from users' rollups, and are never frozen. Both columns are named with their table.
 */
export function isFrozen(user: string, quarter: string): Sql {
  const [whose, at] = [raw(user), raw(quarter)];
  return sql`(${whose} <> ''
    and exists (select from model_call_frozen_months as frozen where frozen.month = date_trunc('month', ${at}, 'UTC'))
    and not exists (select from model_call_reopened_quarters as reopened where reopened.quarter = ${at} and reopened.user_did = ${whose}))`;
}

/** Says whether the calls of any of these quarters are gone by now. */
export async function isAnyFrozen(session: SqlSession, { users, quarters }: Buckets): Promise<boolean> {
  await noticeMissingMonths(session);
  const [row] = await session.execute<{ frozen: boolean }>(sql`
    select exists (select from unnest(${users}::text[], ${quarters}::timestamptz[]) as picked(user_did, quarter)
                    where ${isFrozen("picked.user_did", "picked.quarter")}) as frozen`);
  return row!.frozen;
}
