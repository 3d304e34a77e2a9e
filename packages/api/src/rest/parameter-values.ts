import { UsageStatsError } from "@usage-stats/core";
import * as z from "zod";
import { orRefuse } from "../input/refusal.ts";

/** A parameter that is `true` or `false`; `false` where it is missing. Refused with `invalid_option`. */
export function flag(field: string) {
  return z
    .string()
    .transform(
      orRefuse((text) => {
        if (text === "true" || text === "false") return text === "true";
        throw new UsageStatsError("invalid_option", `${field} must be true or false.`, {
          field,
          value: text,
        });
      }),
    )
    .default(false)
    .meta({ type: "boolean" });
}

/** A whole number of at most six digits. Refused with `invalid_option`. */
export function wholeNumber(field: string) {
  return z
    .string()
    .transform(
      orRefuse((text) => {
        if (DIGITS.test(text)) return Number(text);
        throw new UsageStatsError("invalid_option", `${field} must be a whole number.`, {
          field,
          value: text,
        });
      }),
    )
    .meta({ type: "integer" });
}

/** A whole number of at most six digits; any other text stays text, for the schema that it goes on to. */
export const numberOrText = z.string().transform((text) => (DIGITS.test(text) ? Number(text) : text));

/** Numbers with commas between them, in one parameter; other text among them stays text, for the schema that it goes on to. */
export const numberList = z
  .string()
  .max(64)
  .transform((list) => list.split(",").map((text) => (NUMBER.test(text) ? Number(text) : text)));

/** The JSON Schema of what text in a query string stands for, to describe the parameter by. */
export function describedAs(schema: z.ZodType): Record<string, unknown> {
  const { $schema: _, ...description } = z.toJSONSchema(schema, { io: "input" });
  return description;
}

const NUMBER = /^\d{1,6}(\.\d{1,6})?$/;
const DIGITS = /^\d{1,6}$/;
