import { tableText } from "./table-text.ts";

// Once alone measures mostly how cold the processor's caches are after somebody else's turn.
const IN_A_ROW = 3;

/** Something to measure. `rounds` says how often; all are spread over the same time, so that a slow minute slows all of them. */
export type Case = { name: string; rounds: number; check(): Promise<void>; run(): Promise<unknown> };

/** Milliseconds. */
export type Timing = { name: string; times: number; median: number; fastest: number; slowest: number };

/**
 * Checks every case, which also warms it up, and then times them in interleaved rounds.
 * @param options.roundShare what share of its rounds each case gets, above 0 and up to 1.
 */
export async function measure(
  all: Case[],
  { roundShare, onProgress }: { roundShare: number; onProgress: (text: string) => void },
): Promise<Timing[]> {
  const cases = all.map((one) => ({ ...one, rounds: Math.ceil(one.rounds * roundShare) }));
  for (const { name, check, run } of cases) {
    onProgress(`checking: ${name}`);
    await check();
    await run();
  }
  const times = new Map<Case, number[]>(cases.map((one) => [one, []]));
  const rounds = Math.max(...cases.map((one) => one.rounds));
  for (let round = 0; round < rounds; round += 1) {
    onProgress(`round ${round + 1} of ${rounds}`);
    for (const one of cases.filter((each) => isDue(each.rounds, round, rounds)))
      for (let i = 0; i < IN_A_ROW; i += 1) times.get(one)!.push(await time(one));
  }
  return [...times].map(([{ name }, its]) => summarize(name, its));
}

/** The median of what was measured under a name, in milliseconds. */
export function medianOf(timings: Timing[], name: string): number {
  const timing = timings.find((one) => one.name === name);
  if (timing === undefined) throw new Error(`nothing called "${name}" was measured`);
  return timing.median;
}

/** Timings for people, under what was asked. */
export function timingsTable(asked: string, timings: Timing[]): string {
  const ms = (value: number) => value.toFixed(2);
  return tableText(
    [`${asked}, milliseconds`, "median", "fastest", "slowest", "times"],
    timings.map(({ name, median, fastest, slowest, times }) => [
      name,
      ms(median),
      ms(fastest),
      ms(slowest),
      times,
    ]),
  );
}

function isDue(own: number, round: number, rounds: number): boolean {
  return Math.floor(((round + 1) * own) / rounds) > Math.floor((round * own) / rounds);
}

async function time({ run }: Case): Promise<number> {
  const started = performance.now();
  await run();
  return performance.now() - started;
}

function summarize(name: string, times: number[]): Timing {
  const sorted = times.toSorted((one, other) => one - other);
  const middle = (sorted.length - 1) / 2;
  const median = (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2;
  return { name, times: sorted.length, median, fastest: sorted[0]!, slowest: sorted.at(-1)! };
}
