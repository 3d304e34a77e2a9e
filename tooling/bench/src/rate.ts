import { tableText } from "./table-text.ts";

/** How much was done in how many seconds. */
export type Rate = { name: string; count: number; seconds: number };

/** Counts seconds from now. */
export function startWatch(): () => number {
  const started = performance.now();
  return () => (performance.now() - started) / 1_000;
}

/** One rate for people. */
export function rateText({ name, count, seconds }: Rate): string {
  return `${count} ${name} in ${seconds.toFixed(1)} s (${Math.round(count / seconds)} a second)`;
}

/** Rates for people. */
export function ratesTable(rates: Rate[]): string {
  return tableText(
    ["", "count", "seconds", "a second"],
    rates.map(({ name, count, seconds }) => [name, count, seconds.toFixed(1), Math.round(count / seconds)]),
  );
}
