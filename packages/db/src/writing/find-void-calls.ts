import { type ModelCall } from "@usage-stats/core";
import sql, { raw } from "sql-template-tag";
import { prepareStatement } from "../connection/prepared-statement.ts";
import { type SqlSession } from "../connection/session.ts";
import {
  ALL_COLUMNS,
  type CallIdentity,
  IDENTITY_COLUMNS,
  inputOf,
  isOther,
  OLD_CALL,
  valuesOf,
} from "./model-call-columns.ts";
import { type IdentityRow, rowIdentity } from "./rounds.ts";

const IDENTITY = raw("old.user_did, old.id, (extract(epoch from old.call_time) * 1000)::bigint as time");

const FIND_STILL_VOID = prepareStatement(
  sql`select ${IDENTITY} from ${inputOf(ALL_COLUMNS)} ${OLD_CALL} where old.voided_at is not null and ${isOther("input")}`,
);

const FIND_VOID = prepareStatement(
  sql`select ${IDENTITY} from ${inputOf(IDENTITY_COLUMNS)} ${OLD_CALL} where old.voided_at is not null`,
);

/** Finds the identities of those calls that were voided and said something else before. */
export async function findStillVoid(session: SqlSession, calls: readonly ModelCall[]): Promise<string[]> {
  const statement = { ...FIND_STILL_VOID, values: valuesOf(ALL_COLUMNS, calls) };
  return (await session.execute<IdentityRow>(statement)).map(rowIdentity);
}

/** Finds the identities of those calls that are void. */
export async function findVoid(session: SqlSession, calls: readonly CallIdentity[]): Promise<string[]> {
  const statement = { ...FIND_VOID, values: valuesOf(IDENTITY_COLUMNS, calls) };
  return (await session.execute<IdentityRow>(statement)).map(rowIdentity);
}
