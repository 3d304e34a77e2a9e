import { type Command, Option } from "commander";
import { OperatorError } from "../operator-error.ts";
import { fromAigneHub } from "./aigne-hub.ts";
import { type CsvMapping, isCallField } from "./csv-shape.ts";
import { type ReadCalls, readNdjson } from "./read-calls.ts";
import { readCsv } from "./read-csv.ts";

export type InputOptions = { format?: "ndjson" | "csv"; map?: string[]; set?: string[]; from?: "aigne-hub" };

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
    .addOption(new Option("--from <program>", "whose table it was exported from").choices(["aigne-hub"]));
}

/** How the file is to be read. Throws `OperatorError` for options that do not fit. */
export function readerOf(path: string, { format, map = [], set = [], from }: InputOptions): ReadCalls {
  const isCsv = (format ?? (/\.csv(\.gz)?$/i.test(path) ? "csv" : "ndjson")) === "csv";
  const shape = from === "aigne-hub" ? fromAigneHub : undefined;
  if (!isCsv && map.length + set.length > 0)
    throw new OperatorError("--map and --set are for CSV. Say --format csv if that is what it is.");
  if (shape !== undefined && map.length + set.length > 0)
    throw new OperatorError("--from knows the columns: leave out --map and --set.");
  if (!isCsv) return readNdjson(shape);
  const mapping: CsvMapping = { columns: pairs("--map", map), constants: pairs("--set", set) };
  return readCsv(shape === undefined ? mapping : { ...mapping, shape });
}

function pairs(option: string, given: string[]): CsvMapping["columns"] {
  return new Map(
    given.map((pair) => {
      const [, field = "", value = ""] = /^([^=]+)=(.+)$/s.exec(pair) ?? [];
      if (!isCallField(field))
        throw new OperatorError(
          `${option} takes <field>=<…>, where the field is one of a call's. Got ${pair}.`,
        );
      return [field, value] as const;
    }),
  );
}
