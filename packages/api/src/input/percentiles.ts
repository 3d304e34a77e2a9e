import { MAX_PERCENTILES } from "@usage-stats/core";
import * as z from "zod";

/** The percentiles that a question asks for. In whatever order they come: they are answered in ascending order. */
export const percentiles = z
  .array(z.number().gt(0).lt(100))
  .min(1)
  .max(MAX_PERCENTILES)
  .refine((all) => all.every(hasOneDecimal), "numbers with at most one decimal")
  .refine((all) => new Set(all).size === all.length, "numbers that differ")
  .transform((all) => all.toSorted((one, other) => one - other));

function hasOneDecimal(number: number): boolean {
  return Number(number.toFixed(1)) === number;
}
