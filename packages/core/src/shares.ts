import { addCredits, type CreditUnits } from "./credit-units.ts";

/**
 * Gives the share that each of the first `count` parts has of all parts together, 0 to 1: the double that is nearest to the exact quotient
 * of the amounts, however large they are. So shares that make up the whole add up to 1 within 2^-53 for each of them. All are `null` where
 * there are none: where the whole is zero, or a part is negative.
 */
export function sharesOf(parts: readonly CreditUnits[], count: number): (number | null)[] {
  let whole: CreditUnits = 0;
  let isNegative = false;
  for (const part of parts) {
    whole = addCredits(whole, part);
    isNegative ||= part < 0;
  }
  const first = parts.slice(0, count);
  if (isNegative || whole <= 0) return first.map(() => null);
  return first.map((part) => nearestQuotient(part, whole));
}

/** Divides one amount by another that is no smaller. */
function nearestQuotient(part: CreditUnits, whole: CreditUnits): number {
  // A number's division is rounded once where both are exact.
  if (typeof part === "number" && typeof whole === "number") return part / whole;
  const [dividend, divisor] = [BigInt(part), BigInt(whole)];
  if (dividend === 0n) return 0;
  // At least 60 bits, more than a double keeps, so that it is rounded once, when it becomes a number; its last bit says whether there is more.
  const shift = 64 + bitsOf(divisor) - bitsOf(dividend);
  const scaled = dividend << BigInt(shift);
  const quotient = scaled / divisor;
  const isExact = quotient * divisor === scaled;
  return Number(isExact ? quotient : quotient | 1n) / 2 ** shift;
}

/** How many bits a whole number has, rounded up to fours. */
function bitsOf(value: bigint): number {
  return value.toString(16).length * 4;
}
