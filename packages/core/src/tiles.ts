import { type TimeRange } from "./range.ts";

export const GRAINS = ["week", "day", "hour", "quarter"] as const;
/** The widths that rollups are kept at: UTC weeks, which begin on Monday, days, hours and quarters of an hour. */
export type Grain = (typeof GRAINS)[number];

export const GRAIN_MS: Record<Grain, number> = {
  week: 604_800_000,
  day: 86_400_000,
  hour: 3_600_000,
  quarter: 900_000,
};

// A bucket of each grain begins here: the first Monday of 1970.
const ALIGNED = 4 * GRAIN_MS.day;

/**
 * The rollup buckets that cover a range, as runs of neighbours: of each grain, every bucket that starts in one of its half-open runs.
 * And the `partialEdges` that no bucket fits into. All in order, and disjoint.
 */
export type Tiles = Record<Grain, TimeRange[]> & { partialEdges: TimeRange[] };

/**
 * Covers a range exactly with the fewest rollup buckets. No bucket reaches across a `cut`, so that a series cut there can
 * be added up from them; a run of buckets may. `cuts` are in order. Pure arithmetic: every zone's midnight is a whole quarter of an hour
 * in UTC.
 */
export function tilesOf(range: TimeRange, cuts: readonly Date[] = []): Tiles {
  const tiles: Tiles = { week: [], day: [], hour: [], quarter: [], partialEdges: [] };
  const to = range.to.getTime();
  let from = range.from.getTime();
  for (const cut of cuts) {
    const at = cut.getTime();
    if (at <= from || at >= to) continue;
    cover(tiles, from, at);
    from = at;
  }
  cover(tiles, from, to);
  return tiles;
}

/** The start of the bucket that holds an instant. */
export function startOfGrain(time: Date, grain: Grain): Date {
  return new Date(floorTo(GRAIN_MS[grain], time.getTime()));
}

function floorTo(width: number, time: number): number {
  return Math.floor((time - ALIGNED) / width) * width + ALIGNED;
}

/** Covers a part between two cuts: the widest buckets in its middle, and narrower ones towards its ends. */
function cover(tiles: Tiles, from: number, to: number, widest = 0): void {
  const grain = GRAINS[widest];
  if (grain === undefined) {
    coverPartially(tiles.partialEdges, from, to);
    return;
  }
  const width = GRAIN_MS[grain];
  const [start, end] = [floorTo(width, from + width - 1), floorTo(width, to)];
  if (start >= end) {
    cover(tiles, from, to, widest + 1);
    return;
  }
  if (from < start) cover(tiles, from, start, widest + 1);
  addRun(tiles[grain], start, end);
  if (end < to) cover(tiles, end, to, widest + 1);
}

function addRun(runs: TimeRange[], from: number, to: number): void {
  const last = runs.at(-1);
  if (last !== undefined && last.to.getTime() === from) last.to = new Date(to);
  else runs.push({ from: new Date(from), to: new Date(to) });
}

/** Adds a part that holds no whole quarter of an hour, quarter for quarter. */
function coverPartially(edges: TimeRange[], from: number, to: number): void {
  const boundary = floorTo(GRAIN_MS.quarter, from) + GRAIN_MS.quarter;
  edges.push({ from: new Date(from), to: new Date(Math.min(boundary, to)) });
  if (boundary < to) coverPartially(edges, boundary, to);
}
