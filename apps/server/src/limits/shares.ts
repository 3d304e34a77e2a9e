import { type CallChange } from "@usage-stats/core";
import { sharesStatement } from "@usage-stats/db";
import { type Settings } from "../settings/settings.ts";
import { createTurns, type Turns } from "./turns.ts";

/** What each identity may have the database do at once. */
export type Shares = {
  reports: Turns;
  lists: Turns;
  /** Of recordings that take a connection each. */
  writes: Turns;
  /** Of small ones, which share statements. */
  sharedWrites: Turns;
};

const READ_WAIT_MS = 5_000;

// Others' calls wait behind those of so many at the most.
const SHARED_WRITES = 100;

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
    sharedWrites: createTurns({ most: SHARED_WRITES, waitMs: null, ofWhat: "recordings" }),
  };
}

/** Gives the turns that a recording has to wait for. */
export function turnsToRecord(
  { writes, sharedWrites }: Shares,
  changes: readonly CallChange[],
  isAtomic: boolean,
): Turns {
  return sharesStatement(changes, isAtomic) ? sharedWrites : writes;
}
