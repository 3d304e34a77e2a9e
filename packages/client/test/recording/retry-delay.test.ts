import { expect, it } from "vitest";
import { retryAfterMs, retryDelayMs } from "../../src/recording/retry-delay.ts";

it("waits up to twice as long after each failure, never longer than the longest", () => {
  const longest = [1, 2, 3, 4, 2_000].map((failures) =>
    retryDelayMs(failures, { firstMs: 250, longestMs: 1_000, random: () => 1 }),
  );
  expect(longest).toEqual([250, 500, 1_000, 1_000, 1_000]);
  expect(retryDelayMs(3, { firstMs: 250, longestMs: 30_000, random: () => 0.5 })).toBe(500);
});

it.each<[string, Record<string, string>, number | null]>([
  ["seconds", { "retry-after": "7" }, 7_000],
  [
    "a date, by the server's own clock",
    { "retry-after": "Fri, 20 Jun 2025 10:00:09 GMT", date: "Fri, 20 Jun 2025 10:00:00 GMT" },
    9_000,
  ],
  [
    "a date that is over",
    { "retry-after": "Fri, 20 Jun 2025 09:00:00 GMT", date: "Fri, 20 Jun 2025 10:00:00 GMT" },
    0,
  ],
  ["a date without another to hold it against", { "retry-after": "Fri, 20 Jun 2025 10:00:09 GMT" }, null],
  ["a year", { "retry-after": "31536000" }, 300_000],
  ["nonsense", { "retry-after": "soon" }, null],
  ["nothing", {}, null],
])("reads Retry-After: %s", (_, headers, ms) => {
  expect(retryAfterMs(new Headers(headers))).toBe(ms);
});
