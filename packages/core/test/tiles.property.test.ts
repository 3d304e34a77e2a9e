import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Grain,
  GRAIN_MS,
  GRAINS,
  seriesBuckets,
  startOfGrain,
  type TimeRange,
  tilesOf,
} from "../src/index.ts";
import { CLOCK_CHANGES, ZONES } from "./local-clock.ts";

const range = fc
  .record({
    near: fc.constantFrom(...CLOCK_CHANGES),
    from: fc.oneof(
      fc.integer({ min: -3e9, max: 3e9 }),
      fc.integer({ min: -3000, max: 3000 }).map((quarter) => quarter * 900_000),
    ),
    length: fc.oneof(
      fc.integer({ min: 1, max: 5e9 }),
      fc.integer({ min: 1, max: 5000 }).map((quarter) => quarter * 900_000),
      fc.integer({ min: 1, max: 2_000_000 }),
    ),
  })
  .map(({ near, from, length }): TimeRange => ({
    from: new Date(Date.parse(near) + from),
    to: new Date(Date.parse(near) + from + length),
  }));

/** Every tile and partial edge as [start, end), in order. */
function pieces(tiles: ReturnType<typeof tilesOf>): [number, number][] {
  const whole = GRAINS.flatMap((grain) =>
    tiles[grain].flatMap(({ from, to }) => {
      const count = (to.getTime() - from.getTime()) / GRAIN_MS[grain];
      return Array.from({ length: count }, (_, i): [number, number] => {
        const start = from.getTime() + i * GRAIN_MS[grain];
        return [start, start + GRAIN_MS[grain]];
      });
    }),
  );
  return [
    ...whole,
    ...tiles.partialEdges.map(({ from, to }): [number, number] => [from.getTime(), to.getTime()]),
  ].toSorted(([a], [b]) => a - b);
}

/** The fewest aligned buckets for a span of whole quarters, by trying every way (shortest path). */
function fewest(from: number, to: number): number {
  const best = new Map([[to, 0]]);
  for (let at = to - GRAIN_MS.quarter; at >= from; at -= GRAIN_MS.quarter) {
    const next = GRAINS.filter(
      (grain: Grain) => isStart(new Date(at), grain) && at + GRAIN_MS[grain] <= to,
    ).map((grain) => best.get(at + GRAIN_MS[grain])!);
    best.set(at, 1 + Math.min(...next));
  }
  return best.get(from)!;
}

/** Whether a bucket begins at an instant; a week does on a Monday, UTC. */
function isStart(time: Date, grain: Grain): boolean {
  if (grain === "week") return isStart(time, "day") && time.getUTCDay() === 1;
  return time.getTime() % GRAIN_MS[grain] === 0;
}

describe("startOfGrain", () => {
  it("gives the start of the bucket that holds an instant, before 1970 too; weeks begin on Monday", () => {
    fc.assert(
      fc.property(fc.date({ noInvalidDate: true }), fc.constantFrom(...GRAINS), (time, grain) => {
        const start = startOfGrain(time, grain);
        if (Number.isNaN(start.getTime())) return;
        expect(isStart(start, grain)).toBe(true);
        expect(start.getTime()).toBeLessThanOrEqual(time.getTime());
        expect(start.getTime() + GRAIN_MS[grain]).toBeGreaterThan(time.getTime());
      }),
    );
  });
});

describe("tilesOf", () => {
  it("covers a range exactly: aligned, disjoint, without a gap", () => {
    fc.assert(
      fc.property(range, (asked) => {
        const tiles = tilesOf(asked);
        for (const grain of GRAINS)
          for (const { from, to } of tiles[grain]) {
            expect(isStart(from, grain)).toBe(true);
            expect(isStart(to, grain)).toBe(true);
          }
        const covered = pieces(tiles);
        expect(covered[0]![0]).toBe(asked.from.getTime());
        expect(covered.at(-1)![1]).toBe(asked.to.getTime());
        for (let i = 1; i < covered.length; i += 1) expect(covered[i]![0]).toBe(covered[i - 1]![1]);
      }),
      { numRuns: 1000 },
    );
  });

  it("leaves partial edges only what is less than a quarter, at the two ends", () => {
    fc.assert(
      fc.property(range, (asked) => {
        const { partialEdges } = tilesOf(asked);
        expect(partialEdges.length).toBeLessThanOrEqual(2);
        for (const { from, to } of partialEdges) {
          expect(Math.floor(from.getTime() / 900_000)).toBe(Math.floor((to.getTime() - 1) / 900_000));
          expect(from.getTime() % 900_000 === 0 && to.getTime() % 900_000 === 0).toBe(false);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it("takes the fewest buckets there are", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 400 }), fc.integer({ min: 1, max: 600 }), (from, length) => {
        const base = Date.parse("2025-01-01T00:00:00Z");
        const [start, end] = [base + from * 900_000, base + (from + length) * 900_000];
        expect(pieces(tilesOf({ from: new Date(start), to: new Date(end) }))).toHaveLength(
          fewest(start, end),
        );
      }),
      { numRuns: 300 },
    );
  });

  it("joins neighbours of one grain to runs, so that a year by day is one", () => {
    fc.assert(
      fc.property(range, fc.constantFrom(...ZONES), (asked, timezone) => {
        const cuts = seriesBuckets(asked, timezone, "day").map(({ start }) => start);
        const tiles = tilesOf(asked, cuts);
        for (const grain of GRAINS) {
          const runs = tiles[grain];
          for (let i = 1; i < runs.length; i += 1)
            expect(runs[i]!.from.getTime()).toBeGreaterThan(runs[i - 1]!.to.getTime());
        }
      }),
      { numRuns: 300 },
    );
    const year = { from: new Date("2025-01-01T00:00:00Z"), to: new Date("2026-01-01T00:00:00Z") };
    const days = seriesBuckets(year, "UTC", "day").map(({ start }) => start);
    expect(tilesOf(year, days)).toEqual({ week: [], day: [year], hour: [], quarter: [], partialEdges: [] });
    const [first, last] = [new Date("2025-01-06T00:00:00Z"), new Date("2025-12-29T00:00:00Z")];
    expect(tilesOf(year)).toMatchObject({
      week: [{ from: first, to: last }],
      day: [
        { from: year.from, to: first },
        { from: last, to: year.to },
      ],
    });
  });

  it("never reaches across the bucket edges of a series, in any zone", () => {
    fc.assert(
      fc.property(
        range,
        fc.constantFrom(...ZONES),
        fc.constantFrom("hour" as const, "day" as const, "week" as const),
        (asked, timezone, bucket) => {
          const buckets = seriesBuckets(asked, timezone, bucket);
          const covered = pieces(
            tilesOf(
              asked,
              buckets.map(({ start }) => start),
            ),
          );
          let place = 0;
          for (const [start, end] of covered) {
            while (buckets[place]!.end.getTime() <= start) place += 1;
            expect(buckets[place]!.start.getTime()).toBeLessThanOrEqual(start);
            expect(buckets[place]!.end.getTime()).toBeGreaterThanOrEqual(end);
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});
