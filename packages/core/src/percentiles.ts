import { HistogramSum, LATENCIES, type Latencies, type LatencyName } from "./latency-histogram.ts";
import { type Measures } from "./metrics.ts";

/** The most percentiles that one query may ask for. */
export const MAX_PERCENTILES = 5;

/** Percentiles of one latency, in milliseconds and by their names, such as `p95` or `p99.9`; `count` is how many calls they are of. */
export type LatencyPercentiles = { count: number; [name: `p${number}`]: number };

/**
 * Percentiles of the calls that the average of the same name counts. `null` where no such call told the latency, as the average is then;
 * and where some of these calls are gone, of which nothing but sums was kept.
 */
export type Percentiles = Record<LatencyName, LatencyPercentiles | null>;

/** Collects what percentiles of some calls are made of: how many told each latency, and in which bins these are. */
export class PercentilesSum {
  readonly #told = Object.fromEntries(
    LATENCIES.map((name) => [name, { count: 0, histogram: new HistogramSum() }]),
  ) as Record<LatencyName, { count: number; histogram: HistogramSum }>;

  addMeasures(measures: Measures): void {
    for (const name of LATENCIES) this.#told[name].count += measures[`${name}Count`];
  }

  addHistograms(row: Omit<Latencies["groups"][number], "key">): void {
    for (const name of LATENCIES) this.#told[name].histogram.add(row[name]);
  }

  finish(asked: readonly number[]): Percentiles {
    return Object.fromEntries(
      LATENCIES.map((name) => [name, this.#percentilesOf(name, asked)]),
    ) as Percentiles;
  }

  #percentilesOf(name: LatencyName, asked: readonly number[]): LatencyPercentiles | null {
    const { count, histogram } = this.#told[name];
    // Fewer than were counted: months were dropped after they were rolled up.
    if (count === 0 || histogram.count !== count) return null;
    const values = histogram.percentiles(asked);
    return { count, ...Object.fromEntries(asked.map((percentile, i) => [`p${percentile}`, values[i]!])) };
  }
}
