import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Axes, coverageOf, coveringArray, type Row } from "./covering-array.ts";

const axes = fc
  .array(fc.integer({ min: 1, max: 6 }), { minLength: 2, maxLength: 7 })
  .map((sizes): Axes =>
    Object.fromEntries(
      sizes.map((size, axis) => [`axis ${axis}`, Array.from({ length: size }, (_, i) => `${i}`)]),
    ),
  );

/** By going through all of them, one by one. */
function hasEveryPair(all: Axes, rows: Row<Axes>[]): boolean {
  const names = Object.keys(all);
  return names.every((one, i) =>
    names
      .slice(i + 1)
      .every((other) =>
        all[one]!.every((a) =>
          all[other]!.every((b) => rows.some((row) => row[one] === a && row[other] === b)),
        ),
      ),
  );
}

describe("a covering array", () => {
  it("has every pair of values, whatever the axes and the seed, and is told to", () => {
    fc.assert(
      fc.property(axes, fc.integer(), (all, seed) => {
        const rows = coveringArray(all, 2, seed);
        expect(hasEveryPair(all, rows)).toBe(true);
        const { covered, total } = coverageOf(all, rows, 2);
        expect(covered).toBe(total);
      }),
      { numRuns: 50 },
    );
  });

  it("is not told to have every pair where a row of it is missing", () => {
    fc.assert(
      fc.property(axes, fc.integer(), fc.nat(), (all, seed, which) => {
        const rows = coveringArray(all, 2, seed);
        const without = rows.toSpliced(which % rows.length, 1);
        const { covered, total } = coverageOf(all, without, 2);
        expect(covered === total).toBe(hasEveryPair(all, without));
      }),
      { numRuns: 50 },
    );
  });

  const six = Object.fromEntries(["a", "b", "c", "d", "e", "f"].map((name) => [name, ["0", "1", "2", "3"]]));

  it("is the same for the same seed, and another for another", () => {
    expect(coveringArray(six, 2, 1)).toEqual(coveringArray(six, 2, 1));
    expect(coveringArray(six, 2, 1)).not.toEqual(coveringArray(six, 2, 2));
  });

  it("is far smaller than all combinations, and not much larger than it must be", () => {
    // 4,096 combinations; 16 at the least.
    expect(coveringArray(six, 2, 1).length).toBeLessThanOrEqual(32);
    expect(coverageOf(six, [], 2)).toEqual({ covered: 0, total: 15 * 16 });
  });

  it("has every three values where that is asked for, which every pair does not bring along", () => {
    const pairs = coverageOf(six, coveringArray(six, 2, 1), 3);
    expect(pairs.covered).toBeLessThan(pairs.total);
    expect(coverageOf(six, coveringArray(six, 3, 1), 3)).toEqual({ covered: 20 * 64, total: 20 * 64 });
  });
});
