const DAY = 86_400_000;

/** One stretch of calls, evenly busy: of one user, or of about so many `users`, 5,000 where nothing is said, when `userDid` is null. */
export type Stretch = {
  userDid: string | null;
  users?: number;
  from: Date;
  to: Date;
  calls: number;
  callsPerSession: number;
};

/** The users who are asked about. */
export const USERS = {
  big: "did:abt:z1big",
  median: "did:abt:z1median",
  /** 5,000 and 50,000 calls a month of the same models. */
  five: "did:abt:z1five",
  fifty: "did:abt:z1fifty",
  /** A median user of whom nothing is ever rolled up. */
  unrolled: "did:abt:z1unrolled",
} as const;

const HISTORY_DAYS = 760; // A year, the year before it to compare with, and a month.
const RECENT_DAYS = 65; // Thirty days, the thirty before, and other zones' midnights.

/** What is loaded before rolling up: about `calls` calls until `now`, of which whoever is asked about has a fixed share. */
export function rolledHistory(now: Date, calls: number): Stretch[] {
  const share = calls / 5_000_000;
  const perMonth = (
    userDid: string,
    from: number,
    to: number,
    monthly: number,
    callsPerSession = 4,
  ): Stretch => ({
    userDid,
    from: daysBefore(now, from),
    to: daysBefore(now, to),
    calls: Math.round((monthly / 30) * (from - to)),
    callsPerSession,
  });
  const asked = [
    perMonth(USERS.big, HISTORY_DAYS, RECENT_DAYS, 15_000 * share),
    perMonth(USERS.big, RECENT_DAYS, 0, 500_000 * share, 1),
    perMonth(USERS.median, HISTORY_DAYS, 0, 500),
    perMonth(USERS.five, RECENT_DAYS, 0, 5_000),
    perMonth(USERS.fifty, RECENT_DAYS, 0, 50_000),
  ];
  const others = Math.max(0, calls - asked.reduce((sum, stretch) => sum + stretch.calls, 0));
  return [
    ...asked,
    { userDid: null, from: daysBefore(now, HISTORY_DAYS), to: now, calls: others, callsPerSession: 8 },
  ];
}

/** What is loaded after rolling up, and stays as it came. */
export function unrolledHistory(now: Date): Stretch {
  const from = daysBefore(now, RECENT_DAYS);
  return {
    userDid: USERS.unrolled,
    from,
    to: now,
    calls: Math.round((500 / 30) * RECENT_DAYS),
    callsPerSession: 4,
  };
}

/** An instant so many days of 24 hours before another. */
export function daysBefore(now: Date, days: number): Date {
  return new Date(now.getTime() - days * DAY);
}
