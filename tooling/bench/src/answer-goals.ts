import { ROLLED_UP } from "./fill-database.ts";
import { A_SECOND, atLeast, atMost, type Comparison, type Goal, MILLISECONDS, TIMES } from "./goals.ts";
import { medianOf, type Timing } from "./measure.ts";
import { type Rate } from "./rate.ts";
import { rollupShare, type TableSize } from "./table-sizes.ts";

type Measured = { timings: Timing[]; rates: Rate[]; sizes: TableSize[] };

/** What was promised. The fix is measured at its best: its rows know the models too, and both periods are read at once. */
export function judge({ timings, rates, sizes }: Measured): Goal[] {
  const ratio = (one: string, other: string) => medianOf(timings, one) / medianOf(timings, other);
  const times = (name: string, than: string, way: string, wanted: number) =>
    atLeast(name, ratio(than, way), wanted, TIMES);
  const within = (name: string, way: string, of: string, wanted: number) =>
    atMost(name, ratio(way, of), wanted, TIMES);
  const milliseconds = (name: string, way: string, wanted: number) =>
    atMost(name, medianOf(timings, way), wanted, MILLISECONDS);
  const rolled = rates.find(({ name }) => name === ROLLED_UP)!;
  return [
    times("stored, big user: faster than the fix", "fix, stored: big", "this: big", 40),
    times("stored, median user: faster than the fix", "fix, stored: median", "this: median", 12),
    times("median user: ahead of LiteLLM's table", "LiteLLM's table: median", "this: median", 1),
    times("median user: ahead of LLM Gateway's table", "LLM Gateway's table: median", "this: median", 1),
    milliseconds("days in Asia/Shanghai, big user", "this: big, Asia/Shanghai", 5),
    milliseconds("days in Asia/Kolkata, big user", "this: big, Asia/Kolkata", 5),
    within("365 days, of 30", "this: big, 365 days", "this: big", 2.5),
    within("ten times the calls", "this: 50,000 a month", "this: 5,000 a month", 1.2),
    times(
      "nothing stored, median user: faster than batches of 50",
      "fix, nothing stored: median",
      "this, nothing rolled up: median",
      50,
    ),
    within("by app and model, of the plain question", "this: big, by app and model", "this: big", 5),
    atMost("size of rollups, of these calls (dense)", rollupShare(sizes), 0.4, TIMES),
    atLeast("rolling up calls, two rollers", rolled.count / rolled.seconds, 100_000, A_SECOND),
  ];
}

/**
 * The same against what was really running: the fix as its code has it, which counts the models in raw calls, and the
 * original; and against every peer.
 */
export function compare({ timings }: Measured): Comparison[] {
  const faster = (name: string, than: string, way: string): Comparison => ({
    name,
    reached: TIMES(medianOf(timings, than) / medianOf(timings, way)),
  });
  const peers = timings.filter(({ name }) => / (table|process.*): (big|median)$/.test(name));
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
    ...peers.map(({ name }) =>
      faster(`faster than ${name}`, name, name.endsWith("big") ? "this: big" : "this: median"),
    ),
  ];
}
