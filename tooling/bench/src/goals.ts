/** A promise about one run, and whether it was kept. */
export type Goal = { name: string; goal: string; reached: string; met: boolean };

/** A ratio or a figure that nothing was promised of. */
export type Comparison = { name: string; reached: string };

/** How a figure is written: with decimals or without, and its unit. */
export type Unit = (value: number) => string;
export const TIMES: Unit = (value) => `${Number(value.toFixed(value < 10 ? 2 : 1))}x`;
export const PERCENT: Unit = (value) => `${Math.round(value * 100)}%`;
export const MILLISECONDS: Unit = (value) => `${Number(value.toFixed(1))} ms`;
export const A_SECOND: Unit = (value) => `${Math.round(value)} a second`;

/** A goal that is met by a figure as large as `wanted`, or larger. */
export function atLeast(name: string, reached: number, wanted: number, unit: Unit): Goal {
  return { name, goal: `at least ${unit(wanted)}`, reached: unit(reached), met: reached >= wanted };
}

/** A goal that is met by a figure as small as `wanted`, or smaller. */
export function atMost(name: string, reached: number, wanted: number, unit: Unit): Goal {
  return { name, goal: `at most ${unit(wanted)}`, reached: unit(reached), met: reached <= wanted };
}
