import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Bucket, seriesBuckets } from "../src/index.ts";
import { CLOCK_CHANGES, isoWeek, readLocalClock, ZONES } from "./local-clock.ts";

const QUARTER = 900_000;
const LONGEST: Record<Exclude<Bucket, "none">, number> = {
  "15m": 2,
  hour: 10,
  day: 60,
  week: 120,
  month: 400,
};

/** Whether a bucket begins at a whole quarter of an hour, read off the local clock before and after it. */
function isEdge(time: number, timezone: string, bucket: Bucket): boolean {
  if (timezone.startsWith("+")) return isEdge(time + 20_700_000, "UTC", bucket);
  const after = readLocalClock(time, timezone);
  const before = readLocalClock(time - 1, timezone);
  switch (bucket) {
    case "15m":
      return true;
    case "hour":
      return after.minute === 0;
    case "day":
      return after.date !== before.date;
    case "week":
      return isoWeek(after) !== isoWeek(before);
    default:
      return after.month !== before.month;
  }
}

const cases = fc
  .record({
    timezone: fc.constantFrom(...ZONES),
    bucket: fc.constantFrom(...(Object.keys(LONGEST) as (keyof typeof LONGEST)[])),
    near: fc.constantFrom(...CLOCK_CHANGES),
    before: fc.double({ min: 0, max: 1, noNaN: true }),
    length: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  .map(({ timezone, bucket, near, before, length }) => {
    const longest = LONGEST[bucket] * 86_400_000;
    const from = Math.floor(Date.parse(near) - before * longest);
    return {
      timezone,
      bucket,
      range: { from: new Date(from), to: new Date(from + 1 + Math.floor(length * longest)) },
    };
  });

describe("seriesBuckets", () => {
  it("begins a bucket exactly where the local clock does, in every zone and over every clock change", () => {
    fc.assert(
      fc.property(cases, ({ timezone, bucket, range }) => {
        const buckets = seriesBuckets(range, timezone, bucket);
        const starts = buckets.map(({ start }) => start.getTime());
        const expected = [range.from.getTime()];
        for (
          let time = (Math.floor(expected[0]! / QUARTER) + 1) * QUARTER;
          time < range.to.getTime();
          time += QUARTER
        ) {
          if (isEdge(time, timezone, bucket)) expected.push(time);
        }
        expect(starts).toEqual(expected);
        expect(buckets.map(({ end }) => end.getTime())).toEqual([...starts.slice(1), range.to.getTime()]);
      }),
      { numRuns: 500 },
    );
  });

  it("calls a bucket whole unless the range cuts it", () => {
    fc.assert(
      fc.property(cases, ({ timezone, bucket, range }) => {
        const buckets = seriesBuckets(range, timezone, bucket);
        expect(buckets.slice(1, -1).every(({ whole }) => whole)).toBe(true);
        const wider = seriesBuckets(
          {
            from: buckets[0]!.start,
            to: new Date(
              range.to.getTime() + (bucket === "month" || bucket === "week" ? 40 : 2) * 86_400_000,
            ),
          },
          timezone,
          bucket,
        );
        const last = buckets.at(-1)!;
        const same = wider.find(({ start }) => start.getTime() === last.start.getTime())!;
        if (buckets.length > 1) expect(last.whole).toBe(same.end.getTime() === last.end.getTime());
      }),
      { numRuns: 100 },
    );
  });

  it("gives every bucket of a series a label of its own", () => {
    fc.assert(
      fc.property(cases, ({ timezone, bucket, range }) => {
        const labels = seriesBuckets(range, timezone, bucket).map(({ label }) => label);
        expect(new Set(labels).size).toBe(labels.length);
      }),
      { numRuns: 300 },
    );
  });
});
