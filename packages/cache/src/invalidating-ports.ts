import {
  type CacheInvalidator,
  type CallWriter,
  type Clock,
  type Rebuilder,
  type RecordOutcome,
  startOfGrain,
} from "@usage-stats/core";

const CHANGED = new Set<RecordOutcome>(["added", "corrected", "voided"]);

/** A call writer that tells the cache, before its promise resolves, of calls that came after their quarter was over. */
export function invalidatingWriter(
  callWriter: CallWriter,
  cache: CacheInvalidator,
  clock: Clock,
): CallWriter {
  return {
    async record(changes, options) {
      const outcomes = await callWriter.record(changes, options);
      // Later than what any server calls settled, as long as their clocks differ by less than a minute.
      const open = startOfGrain(clock.now(), "quarter");
      const late = changes.filter((call, i) => CHANGED.has(outcomes[i]!) && call.callTime < open);
      await cache.invalidate([...new Set(late.map(({ userDid }) => userDid))]);
      return outcomes;
    },
  };
}

/** A rebuilder that tells the cache before its promise resolves: rollups that were wrong may be in what is kept. */
export function invalidatingRebuilder(rebuilder: Rebuilder, cache: CacheInvalidator): Rebuilder {
  return {
    plan: (scope) => rebuilder.plan(scope),
    async start(scope) {
      await rebuilder.start(scope);
      await (scope.userDid === undefined ? cache.invalidateAll() : cache.invalidate([scope.userDid]));
    },
  };
}
