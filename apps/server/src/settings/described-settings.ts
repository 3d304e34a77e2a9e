import { relative } from "node:path";
import * as z from "zod";
import { type Setting } from "./setting.ts";
import { REPOSITORY, SETTINGS } from "./settings-table.ts";

/** A setting as it is told to people. */
export type DescribedSetting = {
  name: string;
  /** What it is where it is not set, as text; `null` for nothing. */
  default: string | null;
  /** What a number may be, from the least to the most. */
  range: { min: number; max: number } | null;
  /** All that it may be, where these are a few words. */
  choices: readonly string[];
  about: string;
  more: string | null;
};

/** Describes every setting of the table, in its order. */
export function describedSettings(): DescribedSetting[] {
  return Object.entries<Setting>(SETTINGS).map(([name, { schema, about, more = null }]) => {
    const {
      enum: choices = [],
      minimum: min,
      maximum: max,
    } = z.toJSONSchema(schema, { unrepresentable: "any" });
    const range = min === undefined || max === undefined ? null : { min, max };
    return {
      name,
      default: shown(schema.safeParse(undefined).data),
      range,
      choices: choices.map(String),
      about,
      more,
    };
  });
}

function shown(value: unknown): string | null {
  if (value === undefined) return null;
  if (Array.isArray(value)) return value.length === 0 ? null : value.join(",");
  if (typeof value !== "string") return JSON.stringify(value);
  return value.startsWith(REPOSITORY) ? relative(REPOSITORY, value) : value;
}
