import { type CallChange, type CallVoid, type ModelCall, type RecordOutcome } from "@usage-stats/core";
import { type SqlSession } from "../connection/session.ts";
import { identityOf, roundsOf } from "./rounds.ts";
import { ALL_ADDED, type StatementLimits, upsertModelCalls } from "./upsert-model-calls.ts";
import { voidModelCalls } from "./void-model-calls.ts";

/**
 * Writes changes inside the caller's transaction and says for each, in order, what it did. Partitions must exist. Changes of the
 * same call are made one after the other, in their order.
 */
export async function writeChanges(
  session: SqlSession,
  changes: readonly CallChange[],
): Promise<RecordOutcome[]> {
  const outcomes: RecordOutcome[] = [];
  // The first round locks, in order, every call that later ones write again.
  for (const round of roundsOf(changes)) {
    const own = [...round.values()].map((index) => changes[index]!);
    const voids = own.filter(isVoid);
    const calls = own.filter(isCall);
    const written =
      voids.length === 0
        ? await upsertModelCalls(session, calls)
        : await voidModelCalls(session, calls, voids);
    for (const [identity, index] of round)
      outcomes[index] = written.get(identity) ?? (isVoid(changes[index]!) ? "unknown" : "repeated");
  }
  return outcomes;
}

/**
 * Writes calls, each of them once, by one statement that needs no transaction, and says for each, in order, what that did. Partitions
 * must exist. Throws `BegunTooLate`, and has written nothing, where the database begins after the `latest` of the limits.
 */
export async function writeCalls(
  session: SqlSession,
  calls: readonly ModelCall[],
  limits: StatementLimits,
): Promise<RecordOutcome[]> {
  const written = await upsertModelCalls(session, calls, limits);
  if (written === ALL_ADDED) return calls.map(() => "added");
  return calls.map(
    ({ userDid, id, callTime }) => written.get(identityOf(userDid, id, callTime.getTime())) ?? "repeated",
  );
}

/** Says whether a change is a call as it is now, rather than that it is void. */
export function isCall(change: CallChange): change is ModelCall {
  return !isVoid(change);
}

function isVoid(change: CallChange): change is CallVoid {
  return "void" in change;
}
