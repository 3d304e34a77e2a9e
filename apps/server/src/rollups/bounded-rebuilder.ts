import { type Rebuilder, UsageStatsError } from "@usage-stats/core";

/**
 * A rebuilder whose caller is answered within `ms` however long its statements take, which the database is given all the time for.
 * What was begun goes on; beginning it again does no harm.
 */
export function boundedRebuilder(rebuilder: Rebuilder, ms: number): Rebuilder {
  async function within<T>(working: Promise<T>): Promise<T> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(
      () =>
        late.reject(
          new UsageStatsError(
            "unavailable",
            "The database did not answer in time. A rebuild that was begun goes on.",
          ),
        ),
      ms,
    );
    try {
      return await Promise.race([working, late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  return {
    plan: (scope) => within(rebuilder.plan(scope)),
    start: (scope) => within(rebuilder.start(scope)),
  };
}
