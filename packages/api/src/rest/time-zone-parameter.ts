import { timeZoneOfOffset, UsageStatsError } from "@usage-stats/core";
import * as z from "zod";

/** A zone by its name; whoever asks with it finds out whether there is one. */
export const timeZoneName = z.string().describe("An IANA time zone such as Europe/Berlin; UTC where absent.");

/** The parameters of a zone, of which only one may be sent. */
export const timeZoneParameters = {
  timezone: timeZoneName.optional(),
  timezoneOffset: z
    .string()
    .optional()
    .meta({ type: "integer" })
    .describe("Instead of `timezone`: minutes, as `Date.getTimezoneOffset()` gives them."),
};

type Sent = { timezone?: string | undefined; timezoneOffset?: string | undefined };

/** The zone of a query, UTC where none is sent. Throws `invalid_option` for two, `invalid_timezone` for an offset that is none. */
export function timeZoneOf({ timezone, timezoneOffset: offset }: Sent): string {
  if (offset === undefined) return timezone ?? "UTC";
  if (timezone !== undefined) {
    throw new UsageStatsError("invalid_option", "Send timezone or timezoneOffset, not both.", {
      field: "timezoneOffset",
    });
  }
  if (/^-?\d{1,3}$/.test(offset)) return timeZoneOfOffset(Number(offset));
  throw new UsageStatsError(
    "invalid_timezone",
    "timezoneOffset must be minutes, as Date.getTimezoneOffset() gives them.",
    { field: "timezoneOffset", value: offset },
  );
}
