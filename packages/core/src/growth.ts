import { parseCredits } from "./credit-units.ts";
import { type Metrics } from "./metrics.ts";

/** `(current - previous) / previous` as a fraction; `null` from a zero base, where no percentage is true. */
export type Change = { calls: number | null; usage: number | null; credits: number | null };

type Compared = Pick<Metrics, "calls" | "totalUsage" | "credits">;

export function changeBetween(previous: Compared, current: Compared): Change {
  return {
    calls: fraction(previous.calls, current.calls),
    usage: fraction(previous.totalUsage, current.totalUsage),
    credits: fraction(parseCredits(previous.credits), parseCredits(current.credits)),
  };
}

const DECIMALS = 20;

/** To the nearest of 20 decimals, by whole numbers, because the difference of two floats may be all error. */
function fraction(previous: number | bigint, current: number | bigint): number | null {
  const base = BigInt(previous);
  if (base === 0n) return null;
  const scaled = (BigInt(current) - base) * 10n ** BigInt(DECIMALS);
  const size = magnitude(base);
  // Half a base more makes a rounding of what division cuts off.
  const rounded = (magnitude(scaled) + size / 2n) / size;
  return Number(`${scaled < 0n === base < 0n ? "" : "-"}${rounded}e-${DECIMALS}`);
}

function magnitude(value: bigint): bigint {
  return value < 0n ? -value : value;
}
