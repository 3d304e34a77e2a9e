import fc from "fast-check";

/** Axes by their names, each with all of its values. */
export type Axes = Readonly<Record<string, readonly string[]>>;

/** One value of each axis. */
export type Row<A extends Axes> = { [Name in keyof A]: A[Name][number] };

// More make the array hardly smaller.
const CANDIDATES = 20;

/**
 * Makes rows in which every combination of values of any `strength` axes occurs: all pairs for 2. Greedy, as AETG is (Cohen, Dalal,
 * Fredman and Patton, 1997): a row begins with a combination that is missing yet and takes, axis by axis in random
 * order, the value that brings most that are missing; the best of some candidates is taken. The same seed makes the same rows.
 */
export function coveringArray<const A extends Axes>(axes: A, strength: number, seed: number): Row<A>[] {
  const missing = missingCombinations(axes, strength);
  const draw = drawing(seed);
  const rows: number[][] = [];
  while (missing.count() > 0) {
    const candidates = Array.from({ length: CANDIDATES }, () => candidate(axes, missing, draw));
    const best = candidates.reduce((one, other) => (other.gain > one.gain ? other : one));
    missing.cover(best.row);
    rows.push(best.row);
  }
  const names = Object.keys(axes);
  return rows.map(
    (row) => Object.fromEntries(names.map((name, axis) => [name, axes[name]![row[axis]!]])) as Row<A>,
  );
}

/** How many combinations of values of any `strength` axes there are, and how many of them occur in some rows. */
export function coverageOf<A extends Axes>(axes: A, rows: readonly Row<A>[], strength: number) {
  const missing = missingCombinations(axes, strength);
  const total = missing.count();
  for (const row of rows)
    missing.cover(Object.entries(axes).map(([name, values]) => values.indexOf(row[name]!)));
  return { covered: total - missing.count(), total };
}

/** Gives whole numbers below a bound, the same ones for the same seed. */
export function drawing(seed: number): (bound: number) => number {
  const [draws] = fc.sample(fc.infiniteStream(fc.nat()), { seed, numRuns: 1 });
  return (bound) => draws!.next().value! % bound;
}

/** A value's index for each axis; -1 where none was taken yet. */
type Begun = number[];
type Missing = ReturnType<typeof missingCombinations>;

function candidate(axes: Axes, missing: Missing, draw: (bound: number) => number) {
  const row = missing.any(draw);
  const open = shuffled(
    [...row.keys()].filter((axis) => row[axis] === -1),
    draw,
  );
  const sizes = Object.values(axes).map((values) => values.length);
  for (const axis of open) {
    let [best, most] = [0, -1];
    const first = draw(sizes[axis]!);
    for (let i = 0; i < sizes[axis]!; i += 1) {
      const value = (first + i) % sizes[axis]!;
      row[axis] = value;
      const gain = missing.within(row, axis);
      if (gain > most) [best, most] = [value, gain];
    }
    row[axis] = best;
  }
  return { row, gain: missing.within(row) };
}

/** The combinations that no row has yet, a list of flags for each choice of axes. */
function missingCombinations(axes: Axes, strength: number) {
  const sizes = Object.values(axes).map((values) => values.length);
  const choices = choicesOf(sizes.length, strength).map((chosen) => ({
    chosen,
    flags: new Uint8Array(chosen.reduce((product, axis) => product * sizes[axis]!, 1)).fill(1),
  }));
  const placeOf = (chosen: number[], row: Begun) => {
    let place = 0;
    for (const axis of chosen) {
      if (row[axis] === -1) return -1;
      place = place * sizes[axis]! + row[axis]!;
    }
    return place;
  };
  let left = choices.reduce((sum, { flags }) => sum + flags.length, 0);
  return {
    count: () => left,
    /** How many missing ones a row has, or those only that an axis is part of. */
    within(row: Begun, axis?: number): number {
      let found = 0;
      for (const { chosen, flags } of choices) {
        if (axis !== undefined && !chosen.includes(axis)) continue;
        const place = placeOf(chosen, row);
        if (place !== -1) found += flags[place]!;
      }
      return found;
    },
    cover(row: Begun): void {
      for (const { chosen, flags } of choices) {
        const place = placeOf(chosen, row);
        left -= flags[place]!;
        flags[place] = 0;
      }
    },
    /** A row with the values of one missing combination, and nothing else. */
    any(draw: (bound: number) => number): Begun {
      const withMissing = choices.filter(({ flags }) => flags.includes(1));
      const { chosen, flags } = withMissing[draw(withMissing.length)]!;
      let place = flags.indexOf(1, draw(flags.length));
      if (place === -1) place = flags.indexOf(1);
      const row: Begun = sizes.map(() => -1);
      for (const axis of chosen.toReversed()) {
        row[axis] = place % sizes[axis]!;
        place = Math.floor(place / sizes[axis]!);
      }
      return row;
    },
  };
}

/** Every choice of some of `count` axes, in order. */
function choicesOf(count: number, some: number, from = 0): number[][] {
  if (some === 0) return [[]];
  return Array.from({ length: Math.max(0, count - from) }, (_, i) => from + i).flatMap((first) =>
    choicesOf(count, some - 1, first + 1).map((others) => [first, ...others]),
  );
}

function shuffled<Item>(items: readonly Item[], draw: (bound: number) => number): Item[] {
  const left = [...items];
  return items.map(() => left.splice(draw(left.length), 1)[0]!);
}
