import { type CallChange } from "@usage-stats/core";

/** Writes what tells a call from all others, as text. Its length tells where a user's name ends. */
export function identityOf(userDid: string, id: string, time: number): string {
  return `${userDid.length} ${userDid}${id} ${time}`;
}

/** What a statement answers of a call's identity; the time in milliseconds. */
export type IdentityRow = { user_did: string; id: string; time: string };

export function rowIdentity({ user_did, id, time }: IdentityRow): string {
  return identityOf(user_did, id, Number(time));
}

/**
 * Splits changes into rounds: the first occurrences of each call, then the second ones, and so on, each with its place in the list: a statement can write
 * a call only once.
 */
export function roundsOf(changes: readonly CallChange[]): Map<string, number>[] {
  const rounds: Map<string, number>[] = [];
  const seen = new Map<string, number>();
  changes.forEach(({ userDid, id, callTime }, index) => {
    const identity = identityOf(userDid, id, callTime.getTime());
    const round = seen.get(identity) ?? 0;
    seen.set(identity, round + 1);
    (rounds[round] ??= new Map()).set(identity, index);
  });
  return rounds;
}
