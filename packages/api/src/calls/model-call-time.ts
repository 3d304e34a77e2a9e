import * as z from "zod";

const EARLIEST = Date.UTC(2000);
const END = Date.UTC(2100);
const LARGEST_SECONDS = 1e11;
const ISO_WITH_OFFSET = z.regexes.datetime({ offset: true });

const error =
  "must be an ISO 8601 instant with Z or an offset, such as 2026-01-31T00:00:00Z, or a number of unix seconds";

/** When a call started: ISO 8601 text with an offset, or unix seconds. Cut, not rounded, to the millisecond. */
export const callTime = z.union([z.string(), z.number()], { error }).transform((value, context): Date => {
  const time = typeof value === "string" ? isoTime(value) : secondsTime(value);
  if (typeof time === "number" && time >= EARLIEST && time < END) return new Date(time);
  context.issues.push({
    code: "custom",
    input: value,
    message: typeof time === "string" ? time : "must be between the years 2000 and 2099",
  });
  return z.NEVER;
});

/** Milliseconds, or what is wrong. */
function isoTime(value: string): number | string {
  const time = ISO_WITH_OFFSET.test(value) ? Date.parse(value) : NaN;
  return Number.isNaN(time) ? error : time;
}

function secondsTime(seconds: number): number | string {
  if (seconds > LARGEST_SECONDS)
    return "must be in unix seconds; this looks like milliseconds, so divide it by 1,000";
  // Shifts the decimal point of the shortest form: 1.001 * 1000 would be a little less than 1,001 and lose a millisecond.
  return seconds >= 1 ? Math.trunc(Number(`${seconds}e3`)) : 0;
}
