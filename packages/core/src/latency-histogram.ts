import { type GroupKey } from "./group-by.ts";
import { metricsOf } from "./metrics.ts";

/** The metrics that percentiles are told of: latencies, in whole milliseconds. */
export const LATENCIES = metricsOf("average");
export type LatencyName = (typeof LATENCIES)[number];

/**
 * The ratio of a bin's ends: bin i holds (γ^(i-1), γ^i] milliseconds. What is told of a bin is at most (γ-1)/(γ+1), 2.44 %, from each
 * latency in it: DDSketch, Masson, Rim and Lee 2019, https://www.vldb.org/pvldb/vol12/p2195-masson.pdf, section 2.1.
 */
export const GAMMA = 1.05;

/** The bin of what took no time. No other is below 0, because latencies are whole milliseconds. */
export const ZERO_BIN = -1;

/** How many calls had a latency in each bin; a bin that is not there had none. Histograms of calls apart add up, bin by bin. */
export type LatencyHistogram = readonly (readonly [bin: number, calls: number])[];

type LatencyHistograms = Readonly<Record<LatencyName, LatencyHistogram>>;

/** Histograms of the latencies of a query's calls. Absent rows are empty, and those of the same place add up. */
export type Latencies = {
  /** As `sums` of `Aggregates`, of all types together. */
  sums: ({ period: "current" | "previous"; bucket: number | null } & LatencyHistograms)[];
  /** Of the range, by group: of the first `topN`; `key` is `null` for all others together. Empty when nothing is grouped. */
  groups: ({ key: GroupKey | null } & LatencyHistograms)[];
};

/** A histogram under way: other histograms are added to it. */
export class HistogramSum {
  readonly #parts: LatencyHistogram[] = [];
  #count = 0;
  #first = Infinity;
  #last = -Infinity;

  add(histogram: LatencyHistogram): void {
    this.#parts.push(histogram);
    for (const [bin, calls] of histogram) {
      this.#count += calls;
      if (bin < this.#first) this.#first = bin;
      if (bin > this.#last) this.#last = bin;
    }
  }

  /** How many calls it is of. */
  get count(): number {
    return this.#count;
  }

  /**
   * Gives percentiles in milliseconds, in the order asked, which is ascending. The percentile p of n calls is that of the call at rank
   * ⌈p/100 · n⌉ of them in ascending order (the nearest rank), told by the middle of its bin. There must be a call.
   */
  percentiles(asked: readonly number[]): number[] {
    const bins = this.#callsInBins();
    let next = 0;
    let passed = 0;
    return asked.map((percentile) => {
      const rank = nearestRank(percentile, this.#count);
      while (passed < rank) passed += bins[next++]!;
      return middleOf(this.#first + next - 1);
    });
  }

  /** By index from the first bin on: bins are few and close, so that this takes less than a map of them in order. */
  #callsInBins(): number[] {
    const all: number[] = [];
    for (let bin = this.#first; bin <= this.#last; bin += 1) all.push(0);
    for (const histogram of this.#parts)
      for (const [bin, calls] of histogram) all[bin - this.#first]! += calls;
    return all;
  }
}

/** Percentiles have one decimal, and are counted in tenths: 99.9 / 100 · 1000 is more than 999 in binary fractions. */
function nearestRank(percentile: number, count: number): number {
  return Math.ceil((Math.round(percentile * 10) * count) / 1000);
}

/** What is at most as far from both ends of a bin, by ratio. */
function middleOf(bin: number): number {
  return bin === ZERO_BIN ? 0 : (2 * GAMMA ** bin) / (GAMMA + 1);
}
