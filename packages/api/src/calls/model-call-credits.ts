import { CREDIT_DECIMALS } from "@usage-stats/core";
import * as z from "zod";

const MAX_INTEGER_DIGITS = 12;
const LIMIT = 10 ** MAX_INTEGER_DIGITS;

const error = "must be a number or a plain decimal such as 0.00012345";
const NEGATIVE = "must not be negative";
const TOO_LARGE = `must have at most ${MAX_INTEGER_DIGITS} digits before the point`;
const TOO_FINE = `must have at most ${CREDIT_DECIMALS} decimals; round it before sending it`;

/** What a call cost, to the same decimal: as text, or as a JSON number, which stands for its shortest decimal form. */
export const credits = z.union([z.string(), z.number()], { error }).transform((value, context): string => {
  const decimal = typeof value === "string" ? value : plainDecimal(value);
  const fault = faultOf(decimal);
  if (fault === null) return decimal;
  context.issues.push({ code: "custom", input: value, message: fault });
  return z.NEVER;
});

/** A number's shortest decimal form without an exponent, if `credits` can hold it; otherwise one that is refused. */
function plainDecimal(value: number): string {
  const shortest = String(value);
  if (!shortest.includes("e")) return shortest;
  const fixed = value.toFixed(CREDIT_DECIMALS);
  return Math.abs(value) < LIMIT && Number(fixed) === value ? fixed.replace(/0+$/, "") : shortest;
}

function faultOf(decimal: string): string | null {
  const [, sign, integer, fraction = "", exponent] =
    /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(decimal) ?? [];
  if (integer === undefined) return error;
  if (sign !== "") return NEGATIVE;
  if (exponent !== undefined) return Number(exponent) < 0 ? TOO_FINE : TOO_LARGE;
  if (integer.length > MAX_INTEGER_DIGITS) return TOO_LARGE;
  return fraction.length > CREDIT_DECIMALS ? TOO_FINE : null;
}
