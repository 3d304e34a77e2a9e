import { type TimeRange } from "./range.ts";

export const GRAINS = ["day", "hour", "quarter"] as const;
/** The widths that rollups are kept at: UTC days, hours and quarters of an hour. */
export type Grain = (typeof GRAINS)[number];

export const GRAIN_MS: Record<Grain, number> = { day: 86_400_000, hour: 3_600_000, quarter: 900_000 };

/** The starts of the rollup buckets that cover a range, and the `partialEdges` that no bucket fits into. All disjoint. */
export type Tiles = Record<Grain, Date[]> & { partialEdges: TimeRange[] };

/**
 * Covers a range exactly with the fewest rollup buckets. No bucket reaches across a `cut`, so that a series cut there can
 * be added up from them. Pure arithmetic: every zone's midnight is a whole quarter of an hour in UTC.
 */
export function tilesOf(range: TimeRange, cuts: readonly Date[] = []): Tiles {
  const tiles: Tiles = { day: [], hour: [], quarter: [], partialEdges: [] };
  const inside = cuts.map(Number).filter((cut) => cut > Number(range.from) && cut < Number(range.to));
  const edges = [Number(range.from), ...inside, Number(range.to)];
  for (let i = 1; i < edges.length; i += 1) cover(tiles, edges[i - 1]!, edges[i]!);
  return tiles;
}

/** The start of the bucket that holds an instant. */
export function startOfGrain(time: Date, grain: Grain): Date {
  return new Date(Math.floor(time.getTime() / GRAIN_MS[grain]) * GRAIN_MS[grain]);
}

function cover(tiles: Tiles, from: number, to: number): void {
  let at = from;
  while (at < to) {
    const grain = GRAINS.find((width) => at % GRAIN_MS[width] === 0 && at + GRAIN_MS[width] <= to);
    const end = grain === undefined ? Math.min(to, nextQuarter(at)) : at + GRAIN_MS[grain];
    if (grain === undefined) tiles.partialEdges.push({ from: new Date(at), to: new Date(end) });
    else tiles[grain].push(new Date(at));
    at = end;
  }
}

function nextQuarter(at: number): number {
  return (Math.floor(at / GRAIN_MS.quarter) + 1) * GRAIN_MS.quarter;
}
