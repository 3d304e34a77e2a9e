import { type Timing } from "./measure.ts";

/** A promise: a ratio of two medians of the same run. */
export type Goal = { name: string; goal: string; reached: string; met: boolean };

/** A ratio that nothing was promised of. */
export type Comparison = { name: string; reached: string };

/** What was promised. The fix is measured at its best: its rows know the models too, and both periods are read at once. */
export function judge(timings: Timing[]): Goal[] {
  const faster = (name: string, than: string, way: string, times: number): Goal => {
    const ratio = medianOf(timings, than) / medianOf(timings, way);
    return { name, goal: `at least ${times}x`, reached: `${ratio.toFixed(1)}x`, met: ratio >= times };
  };
  const within = (name: string, way: string, of: string, times: number): Goal => {
    const ratio = medianOf(timings, way) / medianOf(timings, of);
    return { name, goal: `within ${times}x`, reached: `${ratio.toFixed(2)}x`, met: ratio <= times };
  };
  return [
    faster("stored, big user: faster than the fix", "fix, stored: big", "this: big", 25),
    faster("stored, median user: faster than the fix", "fix, stored: median", "this: median", 8),
    within("days in Asia/Shanghai, of UTC days", "this: big, Asia/Shanghai", "this: big", 5),
    within("days in Asia/Kolkata, of UTC days", "this: big, Asia/Kolkata", "this: big", 5),
    within("365 days, of 30", "this: big, 365 days", "this: big", 4),
    within("ten times the calls", "this: 50,000 a month", "this: 5,000 a month", 1.3),
    faster(
      "nothing stored, median user: faster than batches of 50",
      "fix, nothing stored: median",
      "this, nothing rolled up: median",
      40,
    ),
  ];
}

/** The same against what was really running: the fix as its code has it, which counts the models in raw calls, and the original. */
export function compare(timings: Timing[]): Comparison[] {
  const faster = (name: string, than: string, way: string): Comparison => {
    const ratio = medianOf(timings, than) / medianOf(timings, way);
    return { name, reached: `${ratio.toFixed(1)}x` };
  };
  return [
    faster(
      "big user: faster than the fix with models from raw calls",
      "fix, stored, models from raw: big",
      "this: big",
    ),
    faster("median user: the same", "fix, stored, models from raw: median", "this: median"),
    faster(
      "big user: faster than half an answer, without models",
      "fix, stored, no models: big",
      "this: big",
    ),
    faster("median user: the same", "fix, stored, no models: median", "this: median"),
    faster("big user, rolled up: faster than the original", "original, hour by hour: big", "this: big"),
    faster(
      "median user, nothing rolled up: faster than the original",
      "original, hour by hour: median",
      "this, nothing rolled up: median",
    ),
  ];
}

function medianOf(timings: Timing[], name: string): number {
  const timing = timings.find((one) => one.name === name);
  if (timing === undefined) throw new Error(`nothing called "${name}" was measured`);
  return timing.median;
}
