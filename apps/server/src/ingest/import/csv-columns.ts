import { CALL_FIELD_NAMES, type CallFieldName } from "@usage-stats/core";
import { OperatorError } from "../../operator-error.ts";
import { isRequiredField, likeField } from "./call-fields.ts";
import { type Preset } from "./preset.ts";

/** What the columns of a CSV are. */
export type CsvMapping = {
  /** The columns of fields that are called otherwise in the CSV. */
  columns: ReadonlyMap<CallFieldName, string>;
  /** Fields that are the same for every call. */
  constants: ReadonlyMap<CallFieldName, string>;
  /** Columns that are not to be read. */
  ignored: ReadonlySet<string>;
  /** The tags that a call may have; each may have a column of its own, `tags.<name>`. */
  declared: readonly string[];
  /** Makes calls of another program's records; absent, columns are named as fields are. */
  preset?: Preset | undefined;
};

/**
 * Where in a record each field is. Throws `OperatorError` that names everything at once that does not fit: a column twice, fields
 * without a column, and columns that nobody reads.
 */
export function placesOf(names: string[], mapping: CsvMapping): Map<CallFieldName, number> {
  if (new Set(names).size !== names.length)
    throw new OperatorError(`The CSV has a column twice: ${listOf(names)}.`);
  const { preset, ignored } = mapping;
  const columns = preset === undefined ? columnsOf(mapping) : new Map<CallFieldName, string>();
  const read =
    preset === undefined
      ? new Set([...columns.values(), ...tagPlacesOf(names, mapping).map(([, at]) => names[at])])
      : preset.columns;
  const unread = names.filter((name) => !read.has(name) && !ignored.has(name));
  const problems = [...missing(names, unread, columns, mapping), ...notRead(unread, mapping)];
  if (problems.length > 0) throw new OperatorError(problems.join("\n"));
  return new Map(
    [...columns]
      .map(([field, column]) => [field, names.indexOf(column)] as const)
      .filter(([, at]) => at >= 0),
  );
}

/** Where in a record each tag is that has a column of its own, `tags.<name>`. */
export function tagPlacesOf(
  names: string[],
  { declared, ignored, preset }: CsvMapping,
): (readonly [tag: string, at: number])[] {
  if (preset !== undefined) return [];
  return declared
    .map((tag) => [tag, ignored.has(tagColumn(tag)) ? -1 : names.indexOf(tagColumn(tag))] as const)
    .filter(([, at]) => at >= 0);
}

function tagColumn(tag: string): string {
  return `tags.${tag}`;
}

/** The column that each field is looked for in; none for what is the same for all, or is not to be read. */
function columnsOf({ columns, constants, ignored }: CsvMapping): Map<CallFieldName, string> {
  const all = new Map<CallFieldName, string>(columns);
  for (const field of CALL_FIELD_NAMES)
    if (!all.has(field) && !constants.has(field) && !ignored.has(field)) all.set(field, field);
  return all;
}

function missing(
  names: string[],
  unread: string[],
  columns: ReadonlyMap<CallFieldName, string>,
  { columns: said, constants, preset }: CsvMapping,
): string[] {
  const has = `It has: ${listOf(names)}.`;
  if (preset !== undefined) {
    const absent = preset.required.filter((column) => !names.includes(column));
    if (absent.length === 0) return [];
    return [`The CSV has no column ${listOf(absent)}, which ${preset.program} has. ${has}${hint(names)}`];
  }
  // What was said of this file is wrong before what nobody said.
  const order = [...new Set([...said.keys(), ...CALL_FIELD_NAMES])];
  const absent = order.filter((field) => {
    if (constants.has(field)) return false;
    const column = columns.get(field);
    if (column === undefined) return isRequiredField(field);
    return !names.includes(column) && (said.has(field) || isRequiredField(field));
  });
  if (absent.length === 0) return [];
  const columnFor = (field: CallFieldName) => unread.find((name) => likeField(name) === field) ?? "<column>";
  const constant = absent.filter((field) => field !== "id" && field !== "callTime");
  return [
    `The CSV has no column ${absent.map((field) => `"${columns.get(field) ?? field}" for ${field}`).join(", ")}. ${has}${hint(names)}`,
    `Name them with --map ${absent.map((field) => `${field}=${shellWord(columnFor(field))}`).join(" ")}`,
    ...(constant.length === 0
      ? []
      : [`or give all calls the same with --set ${constant.map((field) => `${field}=<value>`).join(" ")}`]),
    ...(absent.includes("id")
      ? ["An id tells a user's calls apart, so it has to be a column that differs from line to line."]
      : []),
  ];
}

function notRead(unread: string[], { preset }: CsvMapping): string[] {
  if (unread.length === 0) return [];
  const how = preset === undefined ? "Map them with --map <field>=<column>, or leave" : "Leave";
  return [`Not read: ${listOf(unread)}. ${how} them out with --ignore ${unread.map(shellWord).join(" ")}.`];
}

/** What may be wrong with a header that is a single column. */
function hint(names: string[]): string {
  const separator = names.length === 1 ? /[;\t|]/.exec(names[0]!)?.[0] : undefined;
  if (separator === undefined) return "";
  const shown = separator === "\t" ? "tab" : `"${separator}"`;
  return ` Is it separated by ${shown}? Then say --delimiter ${shown}.`;
}

function listOf(names: readonly string[]): string {
  return names.map((name) => (name === "" ? '""' : name)).join(", ");
}

/** A word as a shell takes it. */
function shellWord(word: string): string {
  return /^[\w@%+:,./<>=-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
