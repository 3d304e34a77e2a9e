const LONGEST_ASKED_MS = 300_000;

/**
 * How long to wait before the next try, in milliseconds: "full jitter", anything up to a limit that doubles with each failure
 * (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/). `failures` counts from 1.
 */
export function retryDelayMs(
  failures: number,
  { firstMs, longestMs, random }: { firstMs: number; longestMs: number; random: () => number },
): number {
  return Math.round(random() * Math.min(longestMs, firstMs * 2 ** (failures - 1)));
}

/**
 * What `Retry-After` asks for, in milliseconds and at most five minutes: seconds, or a date, which is held against the answer's
 * own `Date` because clocks differ. `null` where it says nothing that can be read.
 */
export function retryAfterMs(headers: Headers): number | null {
  const asked = headers.get("retry-after")?.trim() ?? "";
  const ms = /^\d+$/.test(asked)
    ? Number(asked) * 1000
    : Date.parse(asked) - Date.parse(headers.get("date") ?? "");
  return Number.isNaN(ms) ? null : Math.min(Math.max(ms, 0), LONGEST_ASKED_MS);
}
