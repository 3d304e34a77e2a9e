import { type ModelCall } from "@usage-stats/core";
import { type Session } from "../connection/session.ts";
import {
  ALL_COLUMNS,
  type Identity,
  IDENTITY_COLUMNS,
  inputOf,
  isOther,
  OLD_CALL,
  parametersOf,
} from "./model-call-columns.ts";
import { type IdentityRow, rowIdentity } from "./rounds.ts";

const IDENTITY = `old.user_did, old.id, (extract(epoch from old.call_time) * 1000)::bigint as time`;

const STILL_VOID = `
  select ${IDENTITY} from ${inputOf(ALL_COLUMNS)} ${OLD_CALL} where old.voided_at is not null and ${isOther("input")}`;

const VOID = `
  select ${IDENTITY} from ${inputOf(IDENTITY_COLUMNS)} ${OLD_CALL} where old.voided_at is not null`;

/** The identities of those calls that were voided and said something else before. */
export function findStillVoid(em: Session, calls: readonly ModelCall[]): Promise<string[]> {
  return find(em, STILL_VOID, parametersOf(ALL_COLUMNS, calls));
}

/** The identities of those calls that are void. */
export function findVoid(em: Session, calls: readonly Identity[]): Promise<string[]> {
  return find(em, VOID, parametersOf(IDENTITY_COLUMNS, calls));
}

async function find(em: Session, sql: string, parameters: string[]): Promise<string[]> {
  return (await em.execute<IdentityRow[]>(sql, parameters)).map(rowIdentity);
}
