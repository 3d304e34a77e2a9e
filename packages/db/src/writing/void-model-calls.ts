import { type EntityManager } from "@mikro-orm/postgresql";
import { type CallVoid, type RecordOutcome } from "@usage-stats/core";
import { arrayLiteral } from "../array-literal.ts";
import { type Identity, IDENTITY_COLUMNS } from "./model-call-columns.ts";
import { identityOf } from "./rounds.ts";

const NAMES = IDENTITY_COLUMNS.map(({ name }) => name).join(", ");
const INPUT = `unnest(${IDENTITY_COLUMNS.map(({ type }) => `?::${type}[]`).join(", ")}) as input(${NAMES})`;
const TIME = "(extract(epoch from call_time) * 1000)::bigint as time";

/** Locks calls in the order of their identities, as every writer does, so that writers wait for each other but never in a circle. */
export async function lockModelCalls(em: EntityManager, calls: readonly Identity[]): Promise<void> {
  await em.execute(
    `select from model_calls join ${INPUT} using (${NAMES}) order by ${NAMES} for update of model_calls`,
    parametersOf(calls),
  );
}

/** Voids calls, each once, and says for each what that did: `voided`, `repeated` or `unknown`. */
export async function voidModelCalls(
  em: EntityManager,
  voids: readonly CallVoid[],
): Promise<Map<string, RecordOutcome>> {
  const parameters = parametersOf(voids);
  const changed = await em.execute<{ user_did: string; id: string; time: string }[]>(
    `update model_calls set voided_at = now(), revision = revision + 1, updated_at = now()
       from ${INPUT}
      where ${IDENTITY_COLUMNS.map(({ name }) => `model_calls.${name} = input.${name}`).join(" and ")} and voided_at is null
     returning model_calls.user_did, model_calls.id, (extract(epoch from model_calls.call_time) * 1000)::bigint as time`,
    parameters,
  );
  const outcomes = new Map<string, RecordOutcome>();
  if (changed.length < voids.length) {
    const known = await em.execute<{ user_did: string; id: string; time: string }[]>(
      `select user_did, id, ${TIME} from model_calls join ${INPUT} using (${NAMES})`,
      parameters,
    );
    for (const { user_did, id, time } of known)
      outcomes.set(identityOf(user_did, id, Number(time)), "repeated");
  }
  for (const { user_did, id, time } of changed)
    outcomes.set(identityOf(user_did, id, Number(time)), "voided");
  return outcomes;
}

function parametersOf(calls: readonly Identity[]): string[] {
  return IDENTITY_COLUMNS.map((column) => arrayLiteral(calls.map(column.value)));
}
