import { type CallChange, type CallVoid, type ModelCall, type RecordOutcome } from "@usage-stats/core";
import { type SqlSession } from "../connection/session.ts";
import { roundsOf } from "./rounds.ts";
import { type StatementLimits, upsertModelCalls } from "./upsert-model-calls.ts";
import { voidModelCalls } from "./void-model-calls.ts";

/**
 * Writes changes inside the caller's transaction and says for each, in order, what it did. Partitions must exist. Changes of the
 * same call are made one after the other, in their order. `limits` are for calls that are written by one statement; past their `latest`
 * that throws `BegunTooLate`.
 */
export async function writeChanges(
  session: SqlSession,
  changes: readonly CallChange[],
  limits?: StatementLimits,
): Promise<RecordOutcome[]> {
  const outcomes: RecordOutcome[] = [];
  // The first round locks, in order, every call that later ones write again.
  for (const round of roundsOf(changes)) {
    const own = [...round.values()].map((index) => changes[index]!);
    const voids = own.filter(isVoid);
    const calls = own.filter((change): change is ModelCall => !isVoid(change));
    const written =
      voids.length === 0
        ? await upsertModelCalls(session, calls, limits)
        : await voidModelCalls(session, calls, voids);
    for (const [identity, index] of round)
      outcomes[index] = written.get(identity) ?? (isVoid(changes[index]!) ? "unknown" : "repeated");
  }
  return outcomes;
}

/** Says whether writing changes takes one statement that changes anything. */
export function isOneStatement(changes: readonly CallChange[]): boolean {
  return !changes.some(isVoid) && roundsOf(changes).length === 1;
}

function isVoid(change: CallChange): change is CallVoid {
  return "void" in change;
}
