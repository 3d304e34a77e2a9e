const DAY_MS = 86_400_000;

export type Range = { from: Date; to: Date };

/** Whole UTC days, the last of which ended a day ago. */
export function settledDays(now: Date, days: number): Range {
  const to = Math.floor(now.getTime() / DAY_MS) * DAY_MS - DAY_MS;
  return { from: new Date(to - days * DAY_MS), to: new Date(to) };
}

/** What the page shows: so many days, up to now. */
export function daysUpToNow(now: Date, days: number): Range {
  const to = Math.floor(now.getTime() / 1000) * 1000 + 1000;
  return { from: new Date(to - days * DAY_MS), to: new Date(to) };
}

export function restPath({ from, to }: Range): string {
  return `/app/api/user/usage-stats?startTime=${from.getTime() / 1000}&endTime=${to.getTime() / 1000 - 1}`;
}

export function trpcPath({ from, to }: Range): string {
  return `/trpc/usageStats?input=${encodeURIComponent(JSON.stringify({ from, to }))}`;
}
