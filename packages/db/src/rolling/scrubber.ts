import { type Database } from "../database.ts";
import { pause } from "./pause.ts";
import { type RollupDifference } from "./rollup-difference.ts";
import { scrubNext, skipStep, type ScrubPosition } from "./scrub.ts";

export type ScrubberOptions = {
  /** How long to rest after a step at the least, in milliseconds. */
  restMs?: number;
  /** Told of each row that was not what it should be, and was repaired or logged to be recomputed. */
  onDifference(difference: RollupDifference): void;
  /** Told of every failure; the next step is tried after a rest. */
  onError(error: unknown): void;
};

export type Scrubber = { stop(): Promise<void> };

const REST_MS = 60_000;

/** So many times as long as a step took, it rests: scrubbing takes a hundredth of a processor at the most. */
const RESTS_A_STEP = 100;

/** Scrubs the rollups in the background, step by step, and from the beginning again when it is through. */
export function startScrubber(
  orm: Database,
  { restMs = REST_MS, onDifference, onError }: ScrubberOptions,
): Scrubber {
  const stop = new AbortController();

  async function work(): Promise<void> {
    let position: ScrubPosition = null;
    for (;;) {
      const started = performance.now();
      try {
        const step = await scrubNext(orm, position);
        position = step.position;
        for (const difference of step.differences) onDifference(difference);
      } catch (error) {
        onError(error);
        // A week that is too large to be compared in time holds up no other.
        position = position && skipStep(position);
      }
      await pause(Math.max(restMs, RESTS_A_STEP * (performance.now() - started)), stop.signal);
      if (stop.signal.aborted) return;
    }
  }

  const working = pause(restMs, stop.signal).then(() => (stop.signal.aborted ? undefined : work()));
  return {
    async stop() {
      stop.abort();
      await working;
    },
  };
}
