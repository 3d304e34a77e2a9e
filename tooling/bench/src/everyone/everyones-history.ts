import { GRAIN_MS, startOfGrain } from "@usage-stats/core";
import { daysBefore, type Stretch } from "../history.ts";

/** How many users there are, and how many calls of theirs. */
export type EveryonesSize = { users: number; calls: number; days: number; openCalls: number };

/** What goals are of. */
export const WHOLE: EveryonesSize = { users: 100_000, calls: 800_000, days: 44, openCalls: 400_000 };
/** A tenth of it, for a first look. */
export const SMALL: EveryonesSize = { users: 10_000, calls: 80_000, days: 44, openCalls: 40_000 };

const OPEN_MS = 14 * 60_000;

/**
 * The instant that everyone is asked about: late in the quarter of an hour before this one. Its calls are as open as this one's would be
 * between two roll-ups, and it is there at whatever minute the bench begins.
 */
export function lateInAQuarter(now: Date): Date {
  return new Date(startOfGrain(now, "quarter").getTime() - GRAIN_MS.quarter + OPEN_MS);
}

/** Some eight calls each over 44 days, most by few users: a user's calls are hours or days apart. */
export function sparseHistory(now: Date, { users, calls, days }: EveryonesSize): Stretch {
  const to = startOfGrain(now, "quarter");
  return { userDid: null, users, from: daysBefore(to, days), to, calls, callsPerSession: 1 };
}

/** How long ago the open quarter was rolled up last, where many users have calls in it, while a server runs (`startRollupWorker`). */
const SINCE_ROLLED_UP_MS = 15_000;

/** The calls of the quarter that is open: those that a server has rolled up, as the quarter is of many users, and those since. */
export function openHistory(
  now: Date,
  { users, openCalls }: EveryonesSize,
): { rolledUp: Stretch; since: Stretch } {
  const from = startOfGrain(now, "quarter");
  const to = new Date(now.getTime() - SINCE_ROLLED_UP_MS);
  const since = Math.round((openCalls * SINCE_ROLLED_UP_MS) / OPEN_MS);
  const of = { userDid: null, users, callsPerSession: 1 };
  return {
    rolledUp: { ...of, from, to, calls: openCalls - since },
    since: { ...of, from: to, to: now, calls: since },
  };
}
