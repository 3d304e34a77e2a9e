import { CALL_FIELD_NAMES, CALL_FIELDS, type CallField, type CallFieldName } from "@usage-stats/core";
import { unguardFormula } from "../../csv/formula-guard.ts";
import { isJson } from "./call-fields.ts";
import { type CsvMapping, placesOf, tagPlacesOf } from "./csv-columns.ts";

/** A record's call as it would be sent, or what is wrong with it. */
export type ShapedRecord = { value: unknown } | { field: string; value: string | undefined; error: string };

/** Shapes the records under a header. Throws `OperatorError` for a header that does not fit, as `placesOf` does. */
export function csvShape(header: string[], mapping: CsvMapping): (record: string[]) => ShapedRecord {
  const { constants, preset } = mapping;
  const names = header.map((name) => name.trim());
  const places = placesOf(names, mapping);
  const tagPlaces = tagPlacesOf(names, mapping);

  return (record) => {
    if (record.length !== names.length)
      return {
        field: "",
        value: undefined,
        error: `The line has ${record.length} fields, and the header ${names.length}.`,
      };
    if (preset !== undefined)
      return { value: preset.shape(Object.fromEntries(names.map((name, i) => [name, record[i]]))) };
    const value: Record<string, unknown> = {};
    for (const field of CALL_FIELD_NAMES) {
      const text = constants.get(field) ?? record[places.get(field) ?? -1] ?? "";
      if (text === "") continue;
      const read = valueOf(field, text);
      if (read === undefined) return { field, value: text, error: `${field} is not JSON.` };
      value[field] = read;
    }
    const tags = tagPlaces.flatMap(([tag, at]) => {
      const text = record[at]!;
      return text === "" ? [] : [[tag, unguardFormula(text)] as const];
    });
    return { value: tags.length === 0 ? value : { ...value, tags: withTags(value["tags"], tags) } };
  };
}

/** What the column of all tags says, and those that have a column of their own. What is no object stays, for the contract to refuse. */
function withTags(all: unknown, own: (readonly [tag: string, value: string])[]): unknown {
  if (all === undefined || all === null) return Object.fromEntries(own);
  return typeof all === "object" && !Array.isArray(all) ? { ...all, ...Object.fromEntries(own) } : all;
}

/** What a cell says; `undefined` for what should be JSON and is not. A number that is none stays text, for the contract to refuse. */
function valueOf(field: CallFieldName, text: string): unknown {
  const { kind }: CallField = CALL_FIELDS[field];
  if (kind === "instant") return timeOf(text);
  if (kind === "count" || kind === "milliseconds") return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
  const plain = unguardFormula(text);
  if (!isJson(field)) return plain;
  try {
    return JSON.parse(plain) as unknown;
  } catch {
    return undefined;
  }
}

/** Unix seconds or milliseconds, told apart by their size; anything else as it is. */
export function timeOf(text: string): string | number {
  if (/^\d{9,10}(\.\d+)?$/.test(text)) return Number(text);
  return /^\d{12,13}$/.test(text) ? new Date(Number(text)).toISOString() : text;
}
