import { type Command, Option } from "commander";
import { CALL_FIELD_NAMES, type CallFieldName } from "@usage-stats/core";
import { OperatorError } from "../../operator-error.ts";
import { aigneHub } from "./aigne-hub.ts";
import { isCallField, isJson, likeField } from "./call-fields.ts";
import { type CsvMapping } from "./csv-columns.ts";
import { type ReadCalls, readNdjson, readSome } from "./read-calls.ts";
import { readCsv } from "./read-csv.ts";
import { asUtf8, encodingOf } from "./text-encoding.ts";

export type InputOptions = {
  format?: "ndjson" | "csv";
  map?: string[];
  set?: string[];
  ignore?: string[];
  delimiter?: string;
  encoding?: string;
  from?: "aigne-hub";
};

/** Adds the options that say what a file of calls looks like. */
export function addInputOptions(command: Command): Command {
  return command
    .addOption(
      new Option("--format <format>", "what the file is; told by its name unless it is said").choices([
        "ndjson",
        "csv",
      ]),
    )
    .option("--map <field=column...>", "in CSV, the column of a field that is called otherwise")
    .option("--set <field=value...>", "in CSV, what a field is for every call")
    .option("--ignore <column...>", "in CSV, columns not to be read; any other that has no field is refused")
    .option("--delimiter <character>", 'what separates the columns of a CSV: ",", ";", tab (default: ",")')
    .option("--encoding <name>", "how the text is encoded, such as windows-1252 (default: utf-8)")
    .addOption(new Option("--from <program>", "whose table it was exported from").choices(["aigne-hub"]));
}

/** How the file is to be read, whose calls may have the `declared` tags. Throws `OperatorError` for options that do not fit. */
export function readerOf(path: string, options: InputOptions, declared: readonly string[] = []): ReadCalls {
  const { format, map = [], set = [], ignore = [], delimiter, encoding, from } = options;
  const isCsv = (format ?? (/\.csv(\.gz)?$/i.test(path) ? "csv" : "ndjson")) === "csv";
  const preset = from === "aigne-hub" ? aigneHub : undefined;
  if (!isCsv && (map.length + set.length > 0 || delimiter !== undefined || (ignore.length > 0 && !preset)))
    throw new OperatorError(
      "--map and --set are for CSV, as are --ignore and --delimiter. Say --format csv if that is what it is.",
    );
  if (preset !== undefined && map.length + set.length > 0)
    throw new OperatorError("--from knows the columns: leave out --map and --set.");
  const ignored = new Set(ignore);
  const read = isCsv
    ? readCsv({ ...mappingOf(map, set, ignored), declared, preset }, delimiterOf(delimiter))
    : readSome(readNdjson(declared, preset && { preset, ignored }));
  const label = encodingOf(encoding);
  return (bytes) => read(asUtf8(bytes, label));
}

function mappingOf(map: string[], set: string[], ignored: ReadonlySet<string>): Omit<CsvMapping, "declared"> {
  const columns = pairs("--map", "column", map);
  const constants = pairs("--set", "value", set);
  if (constants.has("id"))
    throw new OperatorError(
      "--set id is refused: with one id for every line, a user's calls at one instant would all be the same call. Name the column that tells them apart with --map id=<column>.",
    );
  for (const [field, column] of columns) {
    if (constants.has(field))
      throw new OperatorError(`${field} is in both --map and --set: leave out one of them.`);
    if (ignored.has(column))
      throw new OperatorError(`${column} is in both --map and --ignore: leave out one of them.`);
  }
  return { columns, constants, ignored };
}

function pairs(option: "--map" | "--set", what: string, given: string[]): Map<CallFieldName, string> {
  const found = new Map<CallFieldName, string>();
  for (const pair of given) {
    const [, field = "", value = ""] = /^([^=]+)=(.+)$/s.exec(pair) ?? [];
    const takes = `${option} takes <field>=<${what}>`;
    if (field === "") throw new OperatorError(`${takes}. Got ${pair}.`);
    if (!isCallField(field)) {
      const meant = likeField(field);
      throw new OperatorError(
        `${takes}, and there is no field ${field}${meant === undefined ? "" : `: did you mean ${meant}`}? The fields are ${CALL_FIELD_NAMES.join(", ")}.`,
      );
    }
    const next = /,\s*([A-Za-z]+)=/.exec(value)?.[1];
    if (next !== undefined && !isJson(field) && likeField(next) !== undefined)
      throw new OperatorError(
        `${takes}, several with a space between: ${option} ${pair.replaceAll(/,\s*(?=[A-Za-z]+=)/g, " ")}. Got ${pair}.`,
      );
    if (found.has(field)) throw new OperatorError(`${option} names ${field} twice.`);
    found.set(field, value);
  }
  return found;
}

function delimiterOf(given = ","): string {
  if (given === "tab" || given === "\\t") return "\t";
  // eslint-disable-next-line no-control-regex
  if (/^[\t\u0020-\u007e]$/.test(given) && given !== '"') return given;
  throw new OperatorError(`--delimiter takes one character, such as ";", or the word tab. Got ${given}.`);
}
