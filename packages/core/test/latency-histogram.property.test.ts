import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GAMMA, HistogramSum, type LatencyHistogram, ZERO_BIN } from "../src/latency-histogram.ts";

const binOf = (ms: number) => (ms === 0 ? ZERO_BIN : Math.ceil(Math.log(ms) / Math.log(GAMMA)));

function histogramOf(latencies: number[]): LatencyHistogram {
  return [...Map.groupBy(latencies, binOf)].map(([bin, same]) => [bin, same.length]);
}

function sumOf(...histograms: LatencyHistogram[]): HistogramSum {
  const sum = new HistogramSum();
  for (const histogram of histograms) sum.add(histogram);
  return sum;
}

const latencies = fc.array(fc.oneof(fc.nat(20), fc.nat(100_000), fc.nat(10 ** 12)), {
  minLength: 1,
  maxLength: 400,
});
const asked = fc
  .uniqueArray(
    fc.integer({ min: 1, max: 999 }).map((tenths) => tenths / 10),
    { minLength: 1, maxLength: 5 },
  )
  .map((all) => all.toSorted((one, other) => one - other));

/** The least value that at least so many of a hundred are not above. */
function exactly(sorted: number[], percentile: number): number {
  const tenths = Math.round(percentile * 10);
  return sorted.find((_, i) => (i + 1) * 1000 >= tenths * sorted.length)!;
}

describe("a histogram of latencies", () => {
  it("tells every percentile to 2.5 % of the call of its rank, and of nothing but zeros zero", () => {
    fc.assert(
      fc.property(latencies, asked, (all, percentiles) => {
        const sorted = all.toSorted((one, other) => one - other);
        const told = sumOf(histogramOf(all)).percentiles(percentiles);
        for (const [i, percentile] of percentiles.entries()) {
          const value = exactly(sorted, percentile);
          expect(Math.abs(told[i]! - value)).toBeLessThanOrEqual(0.025 * value);
        }
      }),
    );
    expect(sumOf(histogramOf([0, 0, 0])).percentiles([0.1, 50, 99.9])).toEqual([0, 0, 0]);
  });

  it("of some calls and of others, added, is that of all together, however they are parted", () => {
    fc.assert(
      fc.property(fc.array(latencies, { minLength: 1, maxLength: 5 }), asked, (parts, percentiles) => {
        const together = sumOf(histogramOf(parts.flat()));
        const added = sumOf(...parts.map(histogramOf).toReversed());
        expect(added.count).toBe(parts.flat().length);
        expect(added.percentiles(percentiles)).toEqual(together.percentiles(percentiles));
      }),
    );
  });

  it("finds the rank of a percentile with a decimal in whole numbers", () => {
    // 999 of 1,000 take no longer than a second; 99.9 / 100 · 1000 is more than 999 in binary fractions.
    const sum = sumOf([
      [binOf(1_000), 999],
      [binOf(90_000), 1],
    ]);
    expect(sum.percentiles([99.9])[0]).toBeLessThan(1_025);
  });
});
