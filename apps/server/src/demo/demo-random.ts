import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

/** Random numbers that a seed decides. */
export type DemoRandom = {
  /** From 0 up to, but not, 1. */
  unit(): number;
  /** A whole number, both ends included. */
  integer(from: number, to: number): number;
  /** A whole number of at least 1 around a median, now and then much larger: `spread` 1 is most of 0.4 to 2.7 times it. */
  around(median: number, spread: number, most: number): number;
  /** 1 on a middling occasion, more or less by `spread` as in `around`. */
  factor(spread: number): number;
  /** The index of one of these running sums of weights. */
  pick(runningSums: readonly number[]): number;
};

export function createDemoRandom(seed: number): DemoRandom {
  const generator = xoroshiro128plus(seed);
  const unit = () => uniformFloat64(generator);
  // Box and Muller's normal distribution, as an exponent.
  const factor = (spread: number) =>
    Math.exp(spread * Math.sqrt(-2 * Math.log(1 - unit())) * Math.cos(2 * Math.PI * unit()));
  return {
    unit,
    factor,
    integer: (from, to) => uniformInt(generator, from, to),
    around: (median, spread, most) => Math.min(most, Math.max(1, Math.round(median * factor(spread)))),
    pick(sums) {
      const at = unit() * sums.at(-1)!;
      return sums.findIndex((sum) => at < sum);
    },
  };
}

/** `[1, 2, 3]` to `[1, 3, 6]`, for `pick`. */
export function runningSums(weights: readonly number[]): number[] {
  let sum = 0;
  return weights.map((weight) => (sum += weight));
}
