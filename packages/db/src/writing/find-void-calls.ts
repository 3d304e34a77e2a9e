import { type ModelCall } from "@usage-stats/core";
import sql, { raw, type Sql } from "sql-template-tag";
import { type SqlSession } from "../connection/session.ts";
import {
  ALL_COLUMNS,
  type CallIdentity,
  IDENTITY_COLUMNS,
  inputOf,
  isOther,
  OLD_CALL,
} from "./model-call-columns.ts";
import { type IdentityRow, rowIdentity } from "./rounds.ts";

const IDENTITY = raw("old.user_did, old.id, (extract(epoch from old.call_time) * 1000)::bigint as time");
const IS_OTHER = isOther("input");

/** Finds the identities of those calls that were voided and said something else before. */
export function findStillVoid(session: SqlSession, calls: readonly ModelCall[]): Promise<string[]> {
  return find(
    session,
    sql`select ${IDENTITY} from ${inputOf(ALL_COLUMNS, calls)} ${OLD_CALL} where old.voided_at is not null and ${IS_OTHER}`,
  );
}

/** Finds the identities of those calls that are void. */
export function findVoid(session: SqlSession, calls: readonly CallIdentity[]): Promise<string[]> {
  return find(
    session,
    sql`select ${IDENTITY} from ${inputOf(IDENTITY_COLUMNS, calls)} ${OLD_CALL} where old.voided_at is not null`,
  );
}

async function find(session: SqlSession, statement: Sql): Promise<string[]> {
  return (await session.execute<IdentityRow>(statement)).map(rowIdentity);
}
