import { Temporal } from "temporal-polyfill";
import { startOfGrain } from "./tiles.ts";
import { parseTimeZone } from "./time-zone.ts";

/** Writes instants in a zone's own time with its offset, such as `2025-06-20T12:00:00.000+02:00`. Throws `invalid_timezone`. */
export function createLocalIso(timezone: string): (instant: Date) => string {
  const zone = parseTimeZone(timezone);
  // No zone changes its clocks within a quarter of an hour, and most instants share the quarter of the one before.
  let quarter = Number.NaN;
  let offset = "";
  let offsetMs = 0;
  return (instant) => {
    const start = startOfGrain(instant, "quarter").getTime();
    if (start !== quarter) {
      const local = Temporal.Instant.fromEpochMilliseconds(start).toZonedDateTimeISO(zone);
      quarter = start;
      offset = local.offset;
      offsetMs = local.offsetNanoseconds / 1e6;
    }
    return new Date(instant.getTime() + offsetMs).toISOString().replace("Z", offset);
  };
}
