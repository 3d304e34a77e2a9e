import { type CallChange } from "@usage-stats/core";
import { identityOf } from "./rounds.ts";

/** The place of one recording among all that name one of its calls. */
type CallTurn = {
  /** Resolves once all earlier ones are done, whatever became of them; `null` where there are none. */
  readonly earlier: Promise<unknown> | null;
  /** Whether it names one of its calls more than once. */
  readonly hasRepeats: boolean;
  /** Says that it is done. */
  leave(): void;
};

/** Has the changes of one call made in the order in which they came, and no two at once. */
export type CallOrder = { enter(changes: readonly CallChange[]): CallTurn };

export function createCallOrder(): CallOrder {
  /** When the last recording so far that names a call, and all before it, will be done. */
  const ends = new Map<string, Promise<unknown>>();

  async function forgetAfter(end: Promise<unknown>, identities: ReadonlySet<string>): Promise<void> {
    await end;
    for (const identity of identities) if (ends.get(identity) === end) ends.delete(identity);
  }

  return {
    enter(changes) {
      const identities = new Set(
        changes.map(({ userDid, id, callTime }) => identityOf(userDid, id, callTime.getTime())),
      );
      const before = new Set<Promise<unknown>>();
      for (const identity of identities) {
        const end = ends.get(identity);
        if (end !== undefined) before.add(end);
      }
      const earlier = before.size === 0 ? null : Promise.all(before);
      const { promise: own, resolve: leave } = Promise.withResolvers<void>();
      // Whoever gives up while it waits must not let the next one past those that it waited for.
      const end = earlier === null ? own : Promise.all([earlier, own]);
      for (const identity of identities) ends.set(identity, end);
      void forgetAfter(end, identities);
      return { earlier, hasRepeats: identities.size < changes.length, leave };
    },
  };
}
