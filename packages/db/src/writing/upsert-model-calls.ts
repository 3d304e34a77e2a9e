import { type EntityManager } from "@mikro-orm/postgresql";
import { type ModelCall, type RecordOutcome } from "@usage-stats/core";
import { arrayLiteral } from "../array-literal.ts";
import { type Column, CONTENT_COLUMNS, IDENTITY_COLUMNS } from "./model-call-columns.ts";

/**
 * Writes calls inside the caller's transaction and says for each, in order, what it did. Their partitions must exist.
 * A statement can write a call only once, so a call that comes twice in the list is written in a second statement.
 */
export async function upsertModelCalls(
  em: EntityManager,
  calls: readonly ModelCall[],
): Promise<RecordOutcome[]> {
  const outcomes: RecordOutcome[] = [];
  for (const round of roundsOf(calls)) {
    const changes = await upsertOnce(
      em,
      [...round.values()].map((index) => calls[index]!),
    );
    for (const [identity, index] of round) outcomes[index] = changes.get(identity) ?? "repeated";
  }
  return outcomes;
}

/** The first occurrences of each identity, then the second ones, and so on: identity to place in the list. */
function roundsOf(calls: readonly ModelCall[]): Map<string, number>[] {
  const rounds: Map<string, number>[] = [];
  const seen = new Map<string, number>();
  calls.forEach((call, index) => {
    const identity = identityOf(call.userDid, call.id, call.callTime.getTime());
    const round = seen.get(identity) ?? 0;
    seen.set(identity, round + 1);
    (rounds[round] ??= new Map()).set(identity, index);
  });
  return rounds;
}

function identityOf(userDid: string, id: string, time: number): string {
  return JSON.stringify([userDid, id, time]);
}

const names = (columns: Column[], prefix = "") => columns.map(({ name }) => prefix + name).join(", ");
const ALL_COLUMNS = [...IDENTITY_COLUMNS, ...CONTENT_COLUMNS];

// Identities are sorted, so that two writers of the same calls lock them in the same order: they wait, they never deadlock.
const UPSERT = `
  insert into model_calls as old (${names(ALL_COLUMNS)})
  select * from unnest(${ALL_COLUMNS.map(({ type }) => `?::${type}[]`).join(", ")}) as input(${names(ALL_COLUMNS)})
   order by ${names(IDENTITY_COLUMNS)}
  on conflict (${names(IDENTITY_COLUMNS)}) do update
     set ${CONTENT_COLUMNS.map(({ name }) => `${name} = excluded.${name}`).join(", ")},
         revision = old.revision + 1, updated_at = now()
   where (${names(CONTENT_COLUMNS, "old.")}) is distinct from (${names(CONTENT_COLUMNS, "excluded.")})
  returning user_did, id, (extract(epoch from call_time) * 1000)::bigint as time, revision`;

/** What the statement changed; an identical repeat is absent. A call starts at revision 0 and each correction adds one. */
async function upsertOnce(em: EntityManager, calls: ModelCall[]): Promise<Map<string, RecordOutcome>> {
  const rows = await em.execute<{ user_did: string; id: string; time: string; revision: number }[]>(
    UPSERT,
    ALL_COLUMNS.map((column) => arrayLiteral(calls.map(column.value))),
  );
  return new Map(
    rows.map((row) => [
      identityOf(row.user_did, row.id, Number(row.time)),
      row.revision === 0 ? "added" : "corrected",
    ]),
  );
}
