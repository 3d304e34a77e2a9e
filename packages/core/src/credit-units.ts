import { Big } from "big.js";

/** How many decimals credits have, as text. */
export const CREDIT_DECIMALS = 8;

/** Credits as whole units of their last decimal: exact, as a number while a number holds them, and as a bigint beyond. */
export type CreditUnits = number | bigint;

/** Reads credits from a decimal text of at most `CREDIT_DECIMALS` decimals. Throws for what is none. */
export function parseCredits(text: string): CreditUnits {
  const units = smallUnits(text);
  return units ?? BigInt(Big(text).times(UNITS).toFixed(0));
}

const UNITS = 10 ** CREDIT_DECIMALS;
const ZERO = "0".charCodeAt(0);

/** Reads what a database sends as a rule: digits, a point and every decimal. `null` for anything else, and for what a number cannot hold. */
function smallUnits(text: string): number | null {
  const point = text.length - 1 - CREDIT_DECIMALS;
  if (text[point] !== ".") return null;
  let units = 0;
  for (let i = 0; i < text.length; i += 1) {
    if (i === point) continue;
    const digit = text.charCodeAt(i) - ZERO;
    if (digit < 0 || digit > 9) return null;
    units = units * 10 + digit;
  }
  return Number.isSafeInteger(units) ? units : null;
}

/** Adds two amounts. */
export function addCredits(one: CreditUnits, other: CreditUnits): CreditUnits {
  if (typeof one === "number" && typeof other === "number") {
    const sum = one + other;
    if (Number.isSafeInteger(sum)) return sum;
  }
  return BigInt(one) + BigInt(other);
}

/** Writes credits as a decimal text with every decimal. */
export function formatCredits(units: CreditUnits): string {
  const sign = units < 0 ? "-" : "";
  const digits = String(units)
    .slice(sign.length)
    .padStart(CREDIT_DECIMALS + 1, "0");
  return `${sign}${digits.slice(0, -CREDIT_DECIMALS)}.${digits.slice(-CREDIT_DECIMALS)}`;
}
