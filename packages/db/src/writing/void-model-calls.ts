import { type CallVoid, type ModelCall, type RecordOutcome } from "@usage-stats/core";
import sql, { raw } from "sql-template-tag";
import { prepareStatement } from "../connection/prepared-statement.ts";
import { type SqlSession } from "../connection/session.ts";
import { ADD_FIRST, ALL_NAMES, IDENTITY_NAMES } from "./add-first-sql.ts";
import { findStillVoid, findVoid } from "./find-void-calls.ts";
import {
  ALL_COLUMNS,
  CONTENT_COLUMNS,
  IDENTITY_COLUMNS,
  inputOf,
  isNewer,
  namesOf,
  OLD_CALL,
  valuesOf,
} from "./model-call-columns.ts";
import { type IdentityRow, rowIdentity } from "./rounds.ts";

const OLD_NAMES = namesOf(ALL_COLUMNS, "old.");
const REPLACED_UNLESS_VOID = raw(
  CONTENT_COLUMNS.map(
    ({ name }) => `${name} = case when excluded.voided_at is null then excluded.${name} else old.${name} end`,
  ).join(", "),
);

// One statement for both, so that they are locked in one order, the same as every other writer's: a statement for each would make
// writers wait in a circle. A void goes in as the call that is there, only to meet it; what that said is kept as it is by then.
const WRITE = prepareStatement(sql`
  with input as materialized (select * from ${inputOf(ALL_COLUMNS)}),${ADD_FIRST},
  changed as (
  insert into model_calls as old (${ALL_NAMES}, voided_at)
  select * from (
    select *, null::timestamptz from remaining
    union all
    select ${OLD_NAMES}, now() from ${inputOf(IDENTITY_COLUMNS)} ${OLD_CALL} where old.voided_at is null) as changes
   order by ${IDENTITY_NAMES}
  on conflict (${IDENTITY_NAMES}) do update
     set ${REPLACED_UNLESS_VOID},
         voided_at = excluded.voided_at, revision = old.revision + 1, updated_at = now()
   where old.voided_at is null and (excluded.voided_at is not null or ${isNewer("excluded")})
  returning ${IDENTITY_NAMES}, revision, voided_at is not null as voided),
  written as (select *, 0 as revision, false as voided from added union all select * from changed)
  select user_did, id, (extract(epoch from call_time) * 1000)::bigint as time, revision, voided from written`);

type WrittenRow = IdentityRow & { revision: number; voided: boolean };

/**
 * Voids calls and writes others, each call once, inside the caller's transaction, and says what that did by their identities. An
 * absent call is `repeated`, an absent void is of a call that is not there.
 */
export async function voidModelCalls(
  session: SqlSession,
  calls: readonly ModelCall[],
  voids: readonly CallVoid[],
): Promise<Map<string, RecordOutcome>> {
  const rows = await session.execute<WrittenRow>({
    ...WRITE,
    values: [...valuesOf(ALL_COLUMNS, calls), ...valuesOf(IDENTITY_COLUMNS, voids)],
  });
  const outcomes = new Map<string, RecordOutcome>();
  for (const identity of await findStillVoid(session, calls)) outcomes.set(identity, "stays_void");
  for (const identity of await findVoid(session, voids)) outcomes.set(identity, "repeated");
  // What was voided just now is found to be void, too.
  for (const row of rows) outcomes.set(rowIdentity(row), outcomeOf(row));
  return outcomes;
}

function outcomeOf({ voided, revision }: WrittenRow): RecordOutcome {
  if (voided) return "voided";
  return revision === 0 ? "added" : "corrected";
}
