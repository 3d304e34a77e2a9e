import { type EntityManager } from "@mikro-orm/postgresql";
import { type ModelCall, type RecordOutcome } from "@usage-stats/core";
import { arrayLiteral } from "../array-literal.ts";
import { type Column, CONTENT_COLUMNS, IDENTITY_COLUMNS } from "./model-call-columns.ts";
import { identityOf } from "./rounds.ts";

const names = (columns: Pick<Column, "name">[], prefix = "") =>
  columns.map(({ name }) => prefix + name).join(", ");
const ALL_COLUMNS: Column[] = [...IDENTITY_COLUMNS, ...CONTENT_COLUMNS];
const INPUT = `unnest(${ALL_COLUMNS.map(({ type }) => `?::${type}[]`).join(", ")}) as input(${names(ALL_COLUMNS)})`;
const isOther = (other: string) =>
  `(${names(CONTENT_COLUMNS, "old.")}) is distinct from (${names(CONTENT_COLUMNS, `${other}.`)})`;

// Identities are sorted, so that two writers of the same calls lock them in the same order: they wait, they never deadlock.
// What was added is told by its number alone where nothing else happened, which is nearly always: naming it costs as much as
// a tenth of writing it.
const UPSERT = `
  with written as (
  insert into model_calls as old (${names(ALL_COLUMNS)})
  select * from ${INPUT}
   order by ${names(IDENTITY_COLUMNS)}
  on conflict (${names(IDENTITY_COLUMNS)}) do update
     set ${CONTENT_COLUMNS.map(({ name }) => `${name} = excluded.${name}`).join(", ")},
         revision = old.revision + 1, updated_at = now()
   where old.voided_at is null and ${isOther("excluded")}
  returning user_did, id, call_time, revision),
  counted as (select count(*) as written from written)
  select user_did, id, (extract(epoch from call_time) * 1000)::bigint as time, revision, counted.written
    from counted left join written on revision > 0 or counted.written < ?`;

const STAY_VOID = `
  select old.user_did, old.id, (extract(epoch from old.call_time) * 1000)::bigint as time
    from model_calls as old join ${INPUT} using (${names(IDENTITY_COLUMNS)})
   where old.voided_at is not null and ${isOther("input")}`;

type Row = { user_did: string; id: string; time: string };
type NamedRow = Row & { revision: number };
/** How many calls were written, beside one of them that is named, or beside none. */
type WrittenRow = { written: string } & (NamedRow | { id: null });

/**
 * Writes calls, each once, inside the caller's transaction, and says what that did by their identities; of whatever is absent
 * nothing was changed. Their partitions must exist. A call starts at revision 0 and each correction adds one.
 */
export async function upsertModelCalls(
  em: EntityManager,
  calls: readonly ModelCall[],
): Promise<Map<string, RecordOutcome>> {
  const parameters = ALL_COLUMNS.map((column) => arrayLiteral(calls.map(column.value)));
  const rows = await em.execute<WrittenRow[]>(UPSERT, [...parameters, calls.length]);
  const named = rows.filter(({ id }) => id !== null) as NamedRow[];
  const outcomes = new Map<string, RecordOutcome>();
  const isAllWritten = Number(rows[0]!.written) === calls.length;
  if (isAllWritten)
    for (const { userDid, id, callTime } of calls)
      outcomes.set(identityOf(userDid, id, callTime.getTime()), "added");
  for (const row of named) outcomes.set(keyOf(row), row.revision === 0 ? "added" : "corrected");
  if (!isAllWritten) {
    const voided = await em.execute<Row[]>(STAY_VOID, parameters);
    for (const row of voided) outcomes.set(keyOf(row), "stays void");
  }
  return outcomes;
}

function keyOf({ user_did, id, time }: Row): string {
  return identityOf(user_did, id, Number(time));
}
