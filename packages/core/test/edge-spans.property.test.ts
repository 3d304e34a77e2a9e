import fc from "fast-check";
import { expect, it } from "vitest";
import { MAX_SPANS, rememberedSpans } from "../src/edge-spans.ts";
import { parseTimeZone, seriesBuckets } from "../src/index.ts";
import { CLOCK_CHANGES, ZONES } from "./local-clock.ts";
import { unrememberedBuckets } from "./unremembered-buckets.ts";

const DAY = 86_400_000;
const EARLIEST = Date.UTC(2000, 0, 1);
const LATEST = Date.UTC(2100, 0, 1);
const LONGEST = { "15m": 3, hour: 15, day: 400, week: 1_827, month: 1_827 };

const everyZone = [...Intl.supportedValuesOf("timeZone"), ...ZONES, "-14:00", "+14:00", "-09:30"];

const ranges = fc
  .record({
    timezone: fc.oneof(fc.constantFrom(...everyZone), fc.constantFrom(...ZONES)),
    width: fc.constantFrom(...(Object.keys(LONGEST) as (keyof typeof LONGEST)[])),
    near: fc.oneof(
      fc.integer({ min: EARLIEST, max: LATEST - 1 }),
      fc.constantFrom(EARLIEST, LATEST - DAY, ...CLOCK_CHANGES.map((change) => Date.parse(change))),
    ),
    before: fc.double({ min: 0, max: 1, noNaN: true }),
    length: fc.double({ min: 0, max: 1, noNaN: true }),
    whole: fc.boolean(),
  })
  .map(({ timezone, width, near, before, length, whole }) => {
    const longest = LONGEST[width] * DAY;
    const unit = whole ? 900_000 : 1;
    const from = Math.max(EARLIEST, Math.floor((near - before * longest) / unit) * unit);
    const to = Math.min(LATEST, from + unit + Math.floor((length * longest) / unit) * unit);
    return { timezone, width, range: { from: new Date(from), to: new Date(to) } };
  });

it("gives the buckets that cutting a range by itself gives, in every zone, whatever was asked before", () => {
  fc.assert(
    fc.property(ranges, ({ timezone, width, range }) => {
      const expected = unrememberedBuckets(range, timezone, width);
      expect(seriesBuckets(range, timezone, width)).toEqual(expected);
      expect(seriesBuckets(range, timezone, width)).toEqual(expected);
    }),
    { numRuns: 1_000 },
  );
});

it("gives each caller instants of its own", () => {
  const range = { from: new Date("2025-06-01T00:00Z"), to: new Date("2025-06-03T00:00Z") };
  for (const { start, end } of seriesBuckets(range, "Asia/Shanghai", "day")) {
    start.setTime(0);
    end.setTime(0);
  }
  expect(seriesBuckets(range, "Asia/Shanghai", "day")).toEqual(
    unrememberedBuckets(range, "Asia/Shanghai", "day"),
  );
});

it("knows a zone by any of its names, and by any capitals", () => {
  const range = { from: new Date("2025-06-01T00:00Z"), to: new Date("2025-06-03T00:00Z") };
  const named = (name: string) => seriesBuckets(range, parseTimeZone(name), "day");
  expect(named("asia/CALCUTTA")).toEqual(named("Asia/Kolkata"));
  expect(named("Asia/Calcutta")).toEqual(named("+05:30"));
});

it("remembers no more than it may, whatever zones and years are asked for, and is right after it forgot", () => {
  const asked = everyZone.flatMap((timezone) =>
    [2003, 2029, 2077].map((year) => ({
      timezone,
      range: { from: new Date(Date.UTC(year, 5, 1)), to: new Date(Date.UTC(year, 5, 2)) },
    })),
  );
  expect(asked.length).toBeGreaterThan(MAX_SPANS);
  for (const { timezone, range } of asked) {
    seriesBuckets(range, timezone, "month");
    expect(rememberedSpans()).toBeLessThanOrEqual(MAX_SPANS);
  }
  expect(rememberedSpans()).toBe(MAX_SPANS);
  for (const { timezone, range } of asked.slice(0, 100)) {
    expect(seriesBuckets(range, timezone, "month")).toEqual(unrememberedBuckets(range, timezone, "month"));
  }
}, 60_000);
