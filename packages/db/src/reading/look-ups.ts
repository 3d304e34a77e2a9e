import { GRAIN_MS, type Grain, GRAINS, type Tiles } from "@usage-stats/core";
import { TIME_TYPES } from "../layout/time-types.ts";
import { type Level } from "./detail-levels.ts";

/** Ranges of rollup rows, as a statement takes them: of a time type, from a quarter of an hour on, to another. */
export type LookUps = { timeTypes: number[]; from: number[]; to: number[] };

/** The same, each with the parts of an answer whose rows it finds, as the sum of their `PARTS`. */
export type SharedLookUps = LookUps & { parts: number[] };

/** The parts of an answer that share look-ups of fine rows. */
export const PARTS = { series: 1, models: 2, groups: 4 } as const;
export type SharedPart = keyof typeof PARTS;

/** The buckets that cover a part of an answer, and the level at which it reads them. */
export type Covered = { level: Level; tiles: readonly Tiles[] };

type LookUp = { timeType: number; from: number; to: number };

/** The rows that hold the sums of a bucket by themselves, where it has any. */
const COARSE: Record<Level, Partial<Record<Grain, number>>> = {
  type: { week: TIME_TYPES.typeWeek, day: TIME_TYPES.typeDay, hour: TIME_TYPES.typeHour },
  model: { week: TIME_TYPES.modelWeek, day: TIME_TYPES.modelDay },
  combo: { week: TIME_TYPES.comboWeek, day: TIME_TYPES.comboDay },
};

const OF_SPARSE_WEEKS = [TIME_TYPES.fineOfSparseWeek];
const OF_SPARSE_DAYS = [TIME_TYPES.fineOfSparseWeek, TIME_TYPES.fineOfSparseDay];
const ALL_FINE = [...OF_SPARSE_DAYS, TIME_TYPES.fineOfDenseDay];
const BELOW_TYPE = { week: OF_SPARSE_WEEKS, day: OF_SPARSE_DAYS, hour: ALL_FINE, quarter: ALL_FINE };

/** The fine rows of a bucket that are in no such row. Only sums by type are kept for every week. */
const FINE: Record<Level, Record<Grain, number[]>> = {
  type: { week: [], day: OF_SPARSE_DAYS, hour: OF_SPARSE_DAYS, quarter: ALL_FINE },
  model: BELOW_TYPE,
  combo: BELOW_TYPE,
};

/** Gives the look-ups of the coarser rows of some buckets. */
export function coarseLookUps({ level, tiles }: Covered): LookUps {
  const found = runsIn(tiles).flatMap(({ grain, from, to }) => {
    const timeType = COARSE[level][grain];
    return timeType === undefined ? [] : [{ timeType, from, to }];
  });
  return lookUpsOf(joined(found));
}

/**
 * Gives the look-ups of the fine rows that belong to some buckets, besides their coarser rows. All users together (`isDense`) have none of
 * sparse days and weeks.
 */
export function fineLookUps(covered: Covered, isDense: boolean): LookUps {
  return lookUpsOf(fineIn(covered, isDense));
}

/**
 * Gives the look-ups of the fine rows of several parts of an answer, each row once: cut where another set of parts wants them, so that
 * none finds rows that no part wants.
 */
export function sharedFineLookUps(
  parts: Partial<Record<SharedPart, Covered>>,
  isDense: boolean,
): SharedLookUps {
  const wanted = (Object.keys(parts) as SharedPart[]).flatMap((part) =>
    fineIn(parts[part]!, isDense).map((lookUp) => ({ ...lookUp, part: PARTS[part] })),
  );
  const shared: (LookUp & { parts: number })[] = [];
  for (const timeType of ALL_FINE) {
    const own = wanted.filter((lookUp) => lookUp.timeType === timeType);
    const cuts = [...new Set(own.flatMap(({ from, to }) => [from, to]))].toSorted((a, b) => a - b);
    for (const [i, from] of cuts.slice(0, -1).entries()) {
      const to = cuts[i + 1]!;
      const here = own.filter((lookUp) => lookUp.from <= from && lookUp.to >= to);
      const sum = here.reduce((bits, { part }) => bits + part, 0);
      const last = shared.at(-1);
      if (last?.timeType === timeType && last.to === from && last.parts === sum) last.to = to;
      else if (sum !== 0) shared.push({ timeType, from, to, parts: sum });
    }
  }
  return { ...lookUpsOf(shared), parts: shared.map((lookUp) => lookUp.parts) };
}

function fineIn({ level, tiles }: Covered, isDense: boolean): LookUp[] {
  const known = isDense ? [TIME_TYPES.fineOfDenseDay] : ALL_FINE;
  return joined(
    runsIn(tiles).flatMap(({ grain, from, to }) =>
      FINE[level][grain].filter(isIn(known)).map((timeType) => ({ timeType, from, to })),
    ),
  );
}

function isIn(known: readonly number[]): (timeType: number) => boolean {
  return (timeType) => known.includes(timeType);
}

function runsIn(all: readonly Tiles[]): { grain: Grain; from: number; to: number }[] {
  return GRAINS.flatMap((grain) =>
    all.flatMap((tiles) =>
      tiles[grain].map(({ from, to }) => ({ grain, from: quarterOf(from), to: quarterOf(to) })),
    ),
  );
}

function quarterOf(time: Date): number {
  return time.getTime() / GRAIN_MS.quarter;
}

/** In order, neighbours as one. */
function joined(lookUps: LookUp[]): LookUp[] {
  const all: LookUp[] = [];
  for (const lookUp of lookUps.toSorted((a, b) => a.timeType - b.timeType || a.from - b.from)) {
    const last = all.at(-1);
    if (last?.timeType === lookUp.timeType && last.to === lookUp.from) last.to = lookUp.to;
    else all.push({ ...lookUp });
  }
  return all;
}

function lookUpsOf(all: LookUp[]): LookUps {
  return {
    timeTypes: all.map(({ timeType }) => timeType),
    from: all.map(({ from }) => from),
    to: all.map(({ to }) => to),
  };
}
