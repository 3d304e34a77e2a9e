import { Big } from "big.js";
import { type Measures } from "./metrics.ts";

/** `(current - previous) / previous` as a fraction; `null` from a zero base, where no percentage is true. */
export type Change = { calls: number | null; usage: number | null; credits: number | null };

export function changeBetween(previous: Measures, current: Measures): Change {
  return {
    calls: fraction(previous.calls, current.calls),
    usage: fraction(previous.totalUsage, current.totalUsage),
    credits: fraction(previous.credits, current.credits),
  };
}

function fraction(previous: number | string, current: number | string): number | null {
  const base = Big(previous);
  return base.eq(0) ? null : Big(current).minus(base).div(base).toNumber();
}
