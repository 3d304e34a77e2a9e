import { type CallVoid, type ModelCall, type RecordOutcome } from "@usage-stats/core";
import { type Session } from "../connection/session.ts";
import { findStillVoid, findVoid } from "./find-void-calls.ts";
import {
  ALL_COLUMNS,
  CONTENT_COLUMNS,
  IDENTITY_COLUMNS,
  inputOf,
  isNewer,
  namesOf,
  OLD_CALL,
  parametersOf,
} from "./model-call-columns.ts";
import { type IdentityRow, rowIdentity } from "./rounds.ts";

// One statement for both, so that they are locked in one order, the same as every other writer's: a statement for each would make
// writers wait in a circle. A void goes in as the call that is there, only to meet it; what that said is kept as it is by then.
const WRITE = `
  insert into model_calls as old (${namesOf(ALL_COLUMNS)}, voided_at)
  select * from (
    select *, null::timestamptz from ${inputOf(ALL_COLUMNS)}
    union all
    select ${namesOf(ALL_COLUMNS, "old.")}, now() from ${inputOf(IDENTITY_COLUMNS)} ${OLD_CALL} where old.voided_at is null) as changes
   order by ${namesOf(IDENTITY_COLUMNS)}
  on conflict (${namesOf(IDENTITY_COLUMNS)}) do update
     set ${CONTENT_COLUMNS.map(({ name }) => `${name} = case when excluded.voided_at is null then excluded.${name} else old.${name} end`).join(", ")},
         voided_at = excluded.voided_at, revision = old.revision + 1, updated_at = now()
   where old.voided_at is null and (excluded.voided_at is not null or ${isNewer("excluded")})
  returning user_did, id, (extract(epoch from call_time) * 1000)::bigint as time, revision, voided_at is not null as voided`;

type WrittenRow = IdentityRow & { revision: number; voided: boolean };

/**
 * Voids calls and writes others, each call once, inside the caller's transaction, and says what that did by their identities. An
 * absent call is `repeated`, an absent void is of a call that is not there.
 */
export async function voidModelCalls(
  em: Session,
  calls: readonly ModelCall[],
  voids: readonly CallVoid[],
): Promise<Map<string, RecordOutcome>> {
  const parameters = [...parametersOf(ALL_COLUMNS, calls), ...parametersOf(IDENTITY_COLUMNS, voids)];
  const rows = await em.execute<WrittenRow[]>(WRITE, parameters);
  const outcomes = new Map<string, RecordOutcome>();
  for (const identity of await findStillVoid(em, calls)) outcomes.set(identity, "stays void");
  for (const identity of await findVoid(em, voids)) outcomes.set(identity, "repeated");
  // What was voided just now is found to be void, too.
  for (const row of rows) outcomes.set(rowIdentity(row), outcomeOf(row));
  return outcomes;
}

function outcomeOf({ voided, revision }: WrittenRow): RecordOutcome {
  if (voided) return "voided";
  return revision === 0 ? "added" : "corrected";
}
