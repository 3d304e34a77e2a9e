import { Temporal } from "temporal-polyfill";
import { type Bucket } from "./bucket.ts";

/** A width that cuts a range into buckets. */
export type Width = Exclude<Bucket, "none">;
type Zoned = Temporal.ZonedDateTime;

/** An instant, in milliseconds since 1970, on a zone's calendar and clock. */
export function zonedAt(time: number, timezone: string): Zoned {
  return Temporal.Instant.fromEpochMilliseconds(time).toZonedDateTimeISO(timezone);
}

/** The start of the bucket that an instant is in. */
export function bucketStart(time: Zoned, width: Width): Zoned {
  switch (width) {
    case "15m":
      return lastBoundary(time, 15);
    case "hour":
      return lastBoundary(time, 60);
    case "day":
      return time.startOfDay();
    case "week":
      return startOfDate(time.toPlainDate().subtract({ days: time.dayOfWeek - 1 }), time);
    case "month":
      return startOfDate(time.toPlainDate().with({ day: 1 }), time);
  }
}

/** The start of the bucket after the one that starts at `start`. */
export function nextBucketStart(start: Zoned, width: Width): Zoned {
  switch (width) {
    case "15m":
      return nextBoundary(start, 15);
    case "hour":
      return nextBoundary(start, 60);
    case "day":
      return nextDate(start, start.toPlainDate().add({ days: 1 }));
    case "week":
      return nextDate(
        start,
        start
          .toPlainDate()
          .subtract({ days: start.dayOfWeek - 1 })
          .add({ weeks: 1 }),
      );
    case "month":
      return nextDate(start, start.toPlainDate().with({ day: 1 }).add({ months: 1 }));
  }
}

/** The first instant of the date after `start`; a date the zone skipped (Apia, 2011-12-30) has none, so the one after it. */
function nextDate(start: Zoned, date: Temporal.PlainDate): Zoned {
  const next = startOfDate(date, start);
  return next.epochMilliseconds > start.epochMilliseconds ? next : nextDate(start, date.add({ days: 1 }));
}

function startOfDate(date: Temporal.PlainDate, zone: Zoned): Zoned {
  return date.toZonedDateTime({ timeZone: zone.timeZoneId });
}

/**
 * Hours and quarters begin where the local clock shows a whole one. Lord Howe's clocks move by half an hour, so its hour
 * at the change lasts 90 minutes: stepping to the next whole hour on the clock, until it is one, finds that. Caracas went from 02:30 to
 * 03:00, a whole hour that a step jumps over: looking back from where it ended finds that.
 */
function nextBoundary(time: Zoned, minutes: number): Zoned {
  let next = time.add({ minutes: minutes - (time.minute % minutes) });
  while (next.minute % minutes !== 0) next = next.add({ minutes: minutes - (next.minute % minutes) });
  for (;;) {
    const before = lastBoundary(next.subtract({ milliseconds: 1 }), minutes);
    if (before.epochMilliseconds <= time.epochMilliseconds) return next;
    next = before;
  }
}

function lastBoundary(time: Zoned, minutes: number): Zoned {
  let last = time.subtract({
    minutes: time.minute % minutes,
    seconds: time.second,
    milliseconds: time.millisecond,
  });
  while (last.minute % minutes !== 0) last = last.subtract({ minutes: last.minute % minutes });
  return last;
}

/**
 * What a bucket is called on the local calendar: `2026-03-08`, `2026-W10`, `2026-03`, or for hours and quarters
 * `2026-03-08T01:00-05:00`, with the offset, because the hour after a clock change comes twice.
 */
export function bucketLabel(start: Zoned, width: Width): string {
  switch (width) {
    case "15m":
    case "hour":
      return start.toString({ smallestUnit: "minute", timeZoneName: "never" });
    case "day":
      return start.toPlainDate().toString();
    case "week":
      return `${start.yearOfWeek}-W${String(start.weekOfYear).padStart(2, "0")}`;
    case "month":
      return start.toPlainDate().toPlainYearMonth().toString();
  }
}
