import { type Settings } from "../settings/settings.ts";
import { createTurns, type Turns } from "./turns.ts";

/** What each identity may have the database do at once. */
export type Shares = { reports: Turns; lists: Turns; writes: Turns };

const READ_WAIT_MS = 5_000;

/** Leaves in each pool a connection that no single identity can take. Calls that come in wait as long as their request may. */
export function openShares({
  pools,
  statementsPerIdentity,
}: Pick<Settings, "pools" | "statementsPerIdentity">): Shares {
  const most = (poolSize: number) => Math.max(1, poolSize - 1);
  const readsOf = (poolSize: number) => Math.min(statementsPerIdentity, most(poolSize));
  return {
    reports: createTurns({ most: readsOf(pools.reports), waitMs: READ_WAIT_MS, ofWhat: "questions" }),
    lists: createTurns({ most: readsOf(pools.lists), waitMs: READ_WAIT_MS, ofWhat: "lists" }),
    writes: createTurns({ most: most(pools.ingest), waitMs: null, ofWhat: "recordings" }),
  };
}
