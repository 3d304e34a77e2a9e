import { Temporal } from "temporal-polyfill";
import { UsageStatsError } from "./errors.ts";

/**
 * Checks a zone and gives its usual capitals: any IANA name, aliases such as `Asia/Calcutta` included, or a fixed
 * offset such as `+05:30`. Throws `invalid_timezone`.
 */
export function parseTimeZone(timezone: string): string {
  if (isOffset(timezone) || /^[A-Za-z][A-Za-z0-9_+-]*(\/[A-Za-z0-9_+-]+)*$/.test(timezone)) {
    try {
      return Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(timezone).timeZoneId;
    } catch (cause) {
      if (!(cause instanceof RangeError)) throw cause;
    }
  }
  throw new UsageStatsError(
    "invalid_timezone",
    "Unknown time zone: send an IANA name such as Europe/Berlin.",
    {
      field: "timezone",
      value: timezone,
    },
  );
}

// Only whole quarters of an hour, as every real zone has had since 1986: the rollups' finest grain relies on it.
function isOffset(timezone: string): boolean {
  return /^[+-](0\d|1[0-4]):(00|15|30|45)$/.test(timezone);
}

/** The fixed zone of `Date.getTimezoneOffset()` minutes, which are positive west of UTC: -330 is `+05:30`. */
export function timeZoneOfOffset(minutes: number): string {
  if (!Number.isInteger(minutes) || minutes % 15 !== 0 || minutes < -14 * 60 || minutes > 14 * 60) {
    throw new UsageStatsError(
      "invalid_timezone",
      "timezoneOffset must be whole quarters of an hour between -840 and 840 minutes.",
      {
        field: "timezoneOffset",
        value: minutes,
        limit: "-840..840, a multiple of 15",
      },
    );
  }
  if (minutes === 0) return "UTC";
  const abs = Math.abs(minutes);
  const two = (n: number) => String(n).padStart(2, "0");
  return `${minutes < 0 ? "+" : "-"}${two(Math.floor(abs / 60))}:${two(abs % 60)}`;
}
