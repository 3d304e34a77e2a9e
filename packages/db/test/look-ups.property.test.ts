import { GRAIN_MS, tilesOf, type TimeRange } from "@usage-stats/core";
import fc from "fast-check";
import { expect, it } from "vitest";
import {
  coarseLookUps,
  type Covered,
  fineLookUps,
  type LookUps,
  PARTS,
  sharedFineLookUps,
} from "../src/reading/look-ups.ts";

const WEEK = 672;
const DAY = 96;
/** Some quarter of an hour of a Monday's first. */
const MONDAY = 2_942 * WEEK + 384;
const BITS = { series: PARTS.series, models: PARTS.models };

/** How dense each week and each day of it is, for four weeks: a fine row of a dense day is of type 2, and so on. */
const densities = fc.array(
  fc.record({ week: fc.boolean(), days: fc.array(fc.boolean(), { minLength: 7, maxLength: 7 }) }),
  { minLength: 4, maxLength: 4 },
);
type Density = { week: boolean; days: boolean[] };

const levels = fc.constantFrom("type" as const, "model" as const, "combo" as const);
const range = fc
  .tuple(fc.nat(4 * WEEK - 1), fc.nat(4 * WEEK - 1))
  .map(([one, other]): TimeRange => timeRange(Math.min(one, other), Math.max(one, other) + 1));

function timeRange(from: number, to: number): TimeRange {
  const at = (quarter: number) => new Date((MONDAY + quarter) * GRAIN_MS.quarter);
  return { from: at(from), to: at(to) };
}

function timeTypeOfFine({ week, days }: Density, day: number): number {
  if (days[day]!) return 2;
  return week ? 1 : 0;
}

/** How often each quarter of the four weeks is counted, where it has one fine row and all that follows from it. */
function counted(weeks: Density[], level: Covered["level"], coarse: LookUps, fine: LookUps): number[] {
  const widths = { 4: 4, 5: DAY, 6: WEEK, 7: DAY, 8: WEEK, 9: DAY, 10: WEEK } as Record<number, number>;
  const exists = ({ week, days }: Density, day: number, timeType: number) =>
    timeType === 6 || (widths[timeType] === WEEK ? week || days.includes(true) : days[day]!);
  return Array.from({ length: 4 * WEEK }, (_, quarter) => {
    const of = weeks[Math.floor(quarter / WEEK)]!;
    const day = Math.floor((quarter % WEEK) / DAY);
    const isIn = (lookUps: LookUps, i: number, start: number) =>
      MONDAY + start >= lookUps.from[i]! && MONDAY + start < lookUps.to[i]!;
    const dense = { ...of, week: of.week || of.days.includes(true) };
    const coarseRows = coarse.timeTypes.filter((timeType, i) => {
      const width = widths[timeType]!;
      return exists(dense, day, timeType) && isIn(coarse, i, Math.floor(quarter / width) * width);
    });
    const fineRows = fine.timeTypes.filter(
      (timeType, i) => timeType === timeTypeOfFine(dense, day) && isIn(fine, i, quarter),
    );
    return coarseRows.length + fineRows.length;
  });
}

it("counts each fine row of a period once, at every level of detail, whatever days and weeks are dense", () => {
  fc.assert(
    fc.property(densities, levels, range, fc.array(fc.nat(4 * WEEK)), (weeks, level, asked, cuts) => {
      const edges = cuts.toSorted((a, b) => a - b).map((cut) => timeRange(cut, cut).from);
      const covered: Covered = { level, tiles: [tilesOf(asked, edges)] };
      const counts = counted(weeks, level, coarseLookUps(covered), fineLookUps(covered, false));
      const once = counts.map((_, quarter) => {
        const { from } = timeRange(quarter, quarter);
        return from >= asked.from && from < asked.to ? 1 : 0;
      });
      expect(counts).toEqual(once);
    }),
    { numRuns: 200 },
  );
});

it("finds for each part what the part would find by itself, and nothing that none wants", () => {
  fc.assert(
    fc.property(levels, range, range, (level, one, other) => {
      const parts = {
        series: { level: "type" as const, tiles: [tilesOf(one)] },
        models: { level, tiles: [tilesOf(other)] },
      };
      const shared = sharedFineLookUps(parts, false);
      for (const part of ["series", "models"] as const)
        expect(quartersOf(shared, (i) => (shared.parts[i]! & BITS[part]) !== 0)).toEqual(
          quartersOf(fineLookUps(parts[part], false)),
        );
      expect(shared.parts).not.toContain(0);
    }),
    { numRuns: 200 },
  );
});

/** Every quarter that some look-ups find, by the time type. */
function quartersOf(
  { timeTypes, from, to }: LookUps,
  isWanted: (i: number) => boolean = () => true,
): string[] {
  return timeTypes
    .flatMap((timeType, i) =>
      isWanted(i) ? Array.from({ length: to[i]! - from[i]! }, (_, n) => `${timeType} ${from[i]! + n}`) : [],
    )
    .toSorted();
}

it("reads a year of days by three ranges of sums by type, and looks for fine rows outside whole weeks only", () => {
  const asked = { from: new Date("2025-01-01T00:00:00Z"), to: new Date("2026-01-01T00:00:00Z") };
  const covered: Covered = { level: "type", tiles: [tilesOf(asked)] };
  expect(coarseLookUps(covered).timeTypes).toEqual([5, 5, 6]);
  const fine = fineLookUps(covered, false);
  expect(fine.timeTypes).toEqual([0, 0, 1, 1]);
  const quarters = fine.from.map((from, i) => fine.to[i]! - from);
  expect(quarters).toEqual([5 * DAY, 3 * DAY, 5 * DAY, 3 * DAY]);
  expect(fineLookUps(covered, true).timeTypes).toEqual([]);
});
