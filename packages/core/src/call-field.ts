import { type CallTags } from "./call-tags.ts";
import { type NameLimits } from "./name-text.ts";

/** What a field of a call can be, and what is to be known of it beyond that. */
type Kinds = {
  /** 1 to `max` characters that a call is told by, or grouped by, in at most `maxBytes`. */
  name: NameLimits;
  text: { max: number };
  /** Whatever is longer than `max` characters is cut. */
  cut_text: { max: number };
  choice: { values: readonly string[] };
  /** To the millisecond. */
  instant: unknown;
  /** A whole number, from 0 to 10^12. */
  count: unknown;
  /** From 0 to 10^12, rounded to whole ones. */
  milliseconds: unknown;
  /** Text with at most 8 decimals. */
  decimal: unknown;
  /** JSON. */
  object: unknown;
  /** The operator's tags, of which the names are declared. */
  tags: unknown;
};

export type FieldKind = keyof Kinds;

type FieldOf<Kind extends FieldKind> = {
  [One in Kind]: { kind: One; column: string; required?: boolean; about: string } & Kinds[One];
}[Kind];

/**
 * All there is to know of a field: its kind and limits, its column in `model_calls`, whether a call is none without it, and a sentence
 * for the docs. Schemas, columns, readers, CSV and docs are made of these.
 */
export type CallField = FieldOf<FieldKind>;

/** The fields that a value's type allows, so that tsc finds where the type of a call and the list of its fields disagree. */
export type FieldFor<Value> = [Value] extends [Date]
  ? FieldOf<"instant"> & { required: true }
  : [Value] extends [string]
    ? string extends Value
      ? FieldOf<"name"> & { required: true }
      : FieldOf<"choice"> & { values: readonly Value[]; required: true }
    : { required?: never } & ([Value] extends [string | null]
        ? FieldOf<"name" | "text" | "cut_text" | "decimal">
        : [Value] extends [number | null]
          ? FieldOf<"count" | "milliseconds">
          : [Value] extends [CallTags | null]
            ? FieldOf<"tags">
            : FieldOf<"object">);
