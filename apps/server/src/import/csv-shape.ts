import { CALL_COLUMNS } from "../csv/calls-csv.ts";
import { unguardFormula } from "../csv/formula-guard.ts";
import { OperatorError } from "../operator-error.ts";
import { type Shape } from "./read-call.ts";

type Field = (typeof CALL_COLUMNS)[number];

/** What the columns of a CSV are. */
export type CsvMapping = {
  /** The columns of fields that are called otherwise in the CSV. */
  columns: ReadonlyMap<Field, string>;
  /** Fields that are the same for every call. */
  constants: ReadonlyMap<Field, string>;
  /** Makes a call of a record of another program's, by its columns' names; the fields' own names where absent. */
  shape?: Shape;
};

/** A record's call as it would be sent, or what is wrong with it. */
export type ShapedRecord = { value: unknown } | { field: string; value: string | undefined; error: string };

const NUMBERS = new Set<Field>([
  "inputTokens",
  "outputTokens",
  "cachedInputTokens",
  "totalUsage",
  "durationMs",
  "ttfbMs",
]);

export function isCallField(name: string): name is Field {
  return (CALL_COLUMNS as readonly string[]).includes(name);
}

/** Shapes the records under a header. Throws `OperatorError` for a header without what was mapped, or without what a call must have. */
export function csvShape(
  header: string[],
  { columns, constants, shape }: CsvMapping,
): (record: string[]) => ShapedRecord {
  const names = header.map((name) => name.trim());
  if (new Set(names).size !== names.length)
    throw new OperatorError(`The CSV has a column twice: ${names.join(", ")}.`);
  const places = shape === undefined ? placesOf(names, columns, constants) : new Map<Field, number>();

  return (record) => {
    if (record.length !== names.length)
      return {
        field: "",
        value: undefined,
        error: `The line has ${record.length} fields, and the header ${names.length}.`,
      };
    if (shape !== undefined)
      return { value: shape(Object.fromEntries(names.map((name, i) => [name, record[i]]))) };
    const value: Record<string, unknown> = {};
    for (const field of CALL_COLUMNS) {
      const text = constants.get(field) ?? record[places.get(field) ?? -1] ?? "";
      if (text === "") continue;
      const read = valueOf(field, text);
      if (read === undefined) return { field, value: text, error: `${field} is not JSON.` };
      value[field] = read;
    }
    return { value };
  };
}

function placesOf(
  names: string[],
  columns: CsvMapping["columns"],
  constants: CsvMapping["constants"],
): Map<Field, number> {
  const places = new Map<Field, number>();
  // What was said of this file is wrong before what nobody said.
  for (const field of new Set([...columns.keys(), ...CALL_COLUMNS])) {
    const column = columns.get(field) ?? field;
    const place = names.indexOf(column);
    if (place !== -1) places.set(field, place);
    else if (columns.has(field) || (isRequired(field) && !constants.has(field)))
      throw new OperatorError(
        `The CSV has no column "${column}" for ${field}. It has: ${names.join(", ")}. Name it with --map ${field}=<column>, or give all calls the same with --set ${field}=<value>.`,
      );
  }
  return places;
}

const REQUIRED = new Set<Field>(["id", "userDid", "providerId", "model", "type", "status", "callTime"]);

function isRequired(field: Field): boolean {
  return REQUIRED.has(field);
}

/** What a cell says; `undefined` for what should be JSON and is not. A number that is none stays text, for the contract to refuse. */
function valueOf(field: Field, text: string): unknown {
  if (field === "callTime") return timeOf(text);
  if (NUMBERS.has(field)) return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
  const plain = unguardFormula(text);
  if (field !== "metadata") return plain;
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
