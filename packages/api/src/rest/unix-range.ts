import { type TimeRange, UsageStatsError } from "@usage-stats/core";
import * as z from "zod";
import { orRefuse } from "../input/refusal.ts";

/** The parameters of a range: unix seconds, both ends inclusive. */
export const unixRangeParameters = {
  startTime: unixSeconds("startTime").describe("The first second of the range, in seconds since 1970."),
  endTime: unixSeconds("endTime").describe("The last second of the range, in seconds since 1970."),
};

/** Makes a range of both inclusive ends, so that equal ends are one second. Throws `invalid_range`. */
export function unixRange({ startTime, endTime }: { startTime: number; endTime: number }): TimeRange {
  if (startTime > endTime) {
    throw new UsageStatsError("invalid_range", "startTime must not be after endTime.", {
      field: "endTime",
      value: endTime,
    });
  }
  return { from: new Date(startTime * 1000), to: new Date((endTime + 1) * 1000) };
}

function unixSeconds(field: string) {
  // Not `string`, which would find fault with a missing one in its own words.
  return z
    .unknown()
    .transform(
      orRefuse((text) => {
        if (typeof text === "string" && /^\d{9,10}$/.test(text)) return Number(text);
        throw new UsageStatsError("invalid_time", `${field} must be whole seconds since 1970 (10 digits).`, {
          field,
          value: text ?? "nothing",
          limit: "unix seconds",
        });
      }),
    )
    .meta({ type: "integer" });
}
