import {
  type CallField,
  type FieldKind,
  fitsBytes,
  isPrintable,
  isStorable,
  type NameLimits,
} from "@usage-stats/core";
import * as z from "zod";
import { callTime } from "./model-call-time.ts";
import { credits } from "./model-call-credits.ts";
import { metadata } from "./model-call-metadata.ts";
import { tags } from "./model-call-tags.ts";

/** The schema of what a gateway sends as a field. What is not required is unknown where it is absent or `null`. */
export function fieldSchema(field: CallField): z.ZodType {
  const schemaOf = SCHEMA_OF_KIND[field.kind] as (given: CallField) => z.ZodType;
  const schema = schemaOf(field);
  return field.required === true ? schema : schema.nullable().default(null);
}

const SCHEMA_OF_KIND: { [Kind in FieldKind]: (field: CallField & { kind: Kind }) => z.ZodType } = {
  name,
  text: ({ max }) => text(max),
  cut_text: ({ max }) => cutText(max),
  choice: ({ values }) => oneOf(values),
  instant: () => callTime,
  count: () => count,
  milliseconds: () => milliseconds,
  decimal: () => credits,
  object: () => metadata,
  tags: () => tags,
};

const MAX_NUMBER = 1e12;

function text(max: number) {
  const error = `must be text of at most ${max} characters`;
  return z
    .string({ error })
    .max(max, error)
    .refine(isStorable, "must not contain NUL or half of a character");
}

function name({ max, maxBytes }: NameLimits) {
  const error = `must be text of 1 to ${max} characters`;
  return z
    .string({ error })
    .min(1, error)
    .max(max, error)
    .refine(isPrintable, "must not contain control characters or half of a character")
    .refine((value) => fitsBytes(value, maxBytes), `must be at most ${maxBytes} bytes long in UTF-8`);
}

function oneOf(values: readonly string[]) {
  return z.enum(values, `must be one of ${values.join(", ")}`);
}

const countError = `must be a whole number from 0 to ${MAX_NUMBER.toLocaleString("en")}, or null where unknown`;
const count = z.int(countError).min(0, countError).max(MAX_NUMBER, countError);

const durationError = `must be milliseconds from 0 to ${MAX_NUMBER.toLocaleString("en")}, or null where unknown`;
const milliseconds = z
  .number(durationError)
  .min(0, durationError)
  .max(MAX_NUMBER, durationError)
  .transform(Math.round);

function cutText(max: number) {
  return (
    z
      .string("must be text")
      .refine(isStorable, "must not contain NUL or half of a character")
      // Cutting between the halves of a character would leave the first one behind.
      .transform((value) => (value.length > max ? value.slice(0, max).replace(/\p{Cs}$/u, "") : value))
  );
}
